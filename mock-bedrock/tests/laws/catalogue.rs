//! The models, read from the catalogue's own files, so that a new one is under the laws at once.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use serde::Deserialize;

/// What the laws need to know of a model.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Model {
    pub(crate) id: String,
    pub(crate) family: String,
    on_demand: bool,
    areas: Vec<String>,
    input: Vec<String>,
    output: Vec<String>,
    supports: Vec<String>,
    pub(crate) context_window: u64,
    pub(crate) max_output_tokens: u64,
}

#[derive(Deserialize)]
struct File {
    models: Vec<Model>,
}

pub(crate) static MODELS: LazyLock<Vec<Model>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/catalogue");
    let mut models = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let file: File = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
            models.extend(file.models);
        }
    }
    models.sort_by(|one, other| one.id.cmp(&other.id));
    models
});

/// The models that can do `what`.
pub(crate) fn that(what: impl Fn(&Model) -> bool) -> Vec<Model> {
    MODELS.iter().filter(|model| what(model)).cloned().collect()
}

impl Model {
    pub(crate) fn supports(&self, capability: &str) -> bool {
        self.supports.iter().any(|supported| supported == capability)
    }

    pub(crate) fn takes(&self, modality: &str) -> bool {
        self.input.iter().any(|taken| taken == modality)
    }

    pub(crate) fn gives(&self, modality: &str) -> bool {
        self.output.iter().any(|given| given == modality)
    }

    /// The path of one of its operations, under an id by which it can be invoked.
    pub(crate) fn path(&self, segment: &str) -> String {
        let profile = if self.on_demand { String::new() } else { format!("{}.", self.areas[0]) };
        format!("/model/{profile}{}/{segment}", self.id.replace(':', "%3A"))
    }
}
