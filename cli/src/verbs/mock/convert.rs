//! `spanproof mock convert`

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use mock_bedrock::cassette;
use mock_bedrock::scripted::ScriptedAnswers;

use crate::exit::{Failure, OrFail as _, Outcome};
use crate::output;

/// Arguments of `mock convert`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Cassettes of vcrpy (YAML or JSON), of nock, or HTTP archives
    #[arg(required = true, value_name = "CASSETTE")]
    cassettes: Vec<PathBuf>,
    /// Write the answers here instead of to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<Outcome, Failure> {
    let mut answers = ScriptedAnswers::default();
    for path in &args.cassettes {
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))
            .or_could_not_judge()?;
        let name = path.display().to_string();
        let converted = cassette::convert(&name, &text)
            .with_context(|| format!("cannot convert {name}"))
            .or_could_not_judge()?;
        for left_out in converted.left_out {
            output::complain(&format!("left out: {left_out}"));
        }
        for (later, earlier) in answers.append(converted.answers) {
            output::complain(&format!(
                "note: `{later}` asks what `{earlier}` asked: its answer comes after that one's"
            ));
        }
    }
    if answers.answers.is_empty() {
        return Err(anyhow!("nothing in these cassettes can be replayed")).or_could_not_judge();
    }
    let mut json = serde_json::to_string_pretty(&answers).or_could_not_judge()?;
    json.push('\n');
    match &args.out {
        Some(path) => fs::write(path, json)
            .with_context(|| format!("cannot write {}", path.display()))
            .or_could_not_judge()?,
        None => output::show(json)?,
    }
    Ok(Outcome::Conforms)
}
