//! What shapes the answers of a mock, whichever verb starts it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use mock_bedrock::guardrail::Guardrail;
use mock_bedrock::{Config, Quirk};
use spanproof_schemas::speed::Speed;

use crate::configuration::MockTable;

/// Arguments about answers; each can stand in the `[mock]` table of `spanproof.toml` too.
#[derive(Debug, clap::Args)]
pub(crate) struct ServingArgs {
    /// Everything that varies in what is served follows from this number [default: 0]
    #[arg(long, value_name = "NUMBER", help_heading = "Serving")]
    seed: Option<u64>,
    /// Keep prompts and completions in the ledger too
    #[arg(long, help_heading = "Serving")]
    ledger_content: bool,
    /// Show this oddity of the service in answers; repeatable
    #[arg(long = "quirk", value_name = "NAME", value_delimiter = ',', help_heading = "Serving")]
    quirks: Vec<Quirk>,
    /// The guardrails that requests may name: a JSON file with one guardrail as `GetGuardrail`
    /// shows it, or an array of them
    #[arg(long, value_name = "FILE", help_heading = "Serving")]
    guardrails: Option<PathBuf>,
}

impl ServingArgs {
    /// The seed of what is served.
    pub(crate) fn seed(&self, table: &MockTable) -> u64 {
        self.seed.or(table.seed).unwrap_or(0)
    }

    /// A mock on a free port of loopback that answers as these arguments and the file's table say.
    pub(crate) fn config(&self, table: &MockTable, speed: Speed) -> anyhow::Result<Config> {
        let guardrails = match self.guardrails.as_ref().or(table.guardrails.as_ref()) {
            Some(path) => read_guardrails(path)?,
            None => Vec::new(),
        };
        let config = Config {
            seed: self.seed(table),
            speed,
            keep_content: self.ledger_content || table.ledger_content,
            quirks: self.quirks.iter().chain(&table.quirks).copied().collect(),
            guardrails,
            timing: table.timing.clone(),
            ..Config::default()
        };
        config.validate()?;
        Ok(config)
    }
}

fn read_guardrails(path: &Path) -> anyhow::Result<Vec<Guardrail>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the guardrails {}", path.display()))?;
    let is_array = text.trim_start().starts_with('[');
    let guardrails: Vec<Guardrail> = if is_array {
        serde_json::from_str(&text)
    } else {
        serde_json::from_str(&text).map(|guardrail| vec![guardrail])
    }
    .with_context(|| format!("{} holds no guardrails", path.display()))?;
    for guardrail in &guardrails {
        guardrail.validate().map_err(|error| anyhow!("{}: {error}", path.display()))?;
    }
    Ok(guardrails)
}
