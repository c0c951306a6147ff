//! What shapes the answers of a mock, whichever verb starts it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use mock_bedrock::guardrail::Guardrail;
use mock_bedrock::scripted::ScriptedAnswers;
use mock_bedrock::{Config, FaultPlan, Quirk, Quota};
use spanproof_schemas::speed::Speed;

use crate::configuration::{MockTable, QuotaTable};
use crate::output;

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
    /// Which requests are struck by which faults: a plan in JSON, or in YAML or TOML if its name
    /// ends in .yaml, .yml or .toml
    #[arg(long, value_name = "FILE", help_heading = "Serving")]
    faults: Option<PathBuf>,
    /// Answers that take the place of generated ones: rules in YAML, or in JSON if its name ends so
    #[arg(long, value_name = "FILE", help_heading = "Serving")]
    answers: Option<PathBuf>,
    /// How much of a model may be used, such as `requests-per-minute=60,tokens-per-minute=20000` or
    /// `tokens-per-day=1000000@anthropic.*`; repeatable, the first that names a model holds
    #[arg(long = "quota", value_name = "LIMIT=N[,…][@MODEL]", help_heading = "Serving")]
    quotas: Vec<QuotaTable>,
}

impl ServingArgs {
    /// The seed of what is served.
    pub(crate) fn seed(&self, table: &MockTable) -> u64 {
        self.seed.or(table.seed).unwrap_or(0)
    }

    /// The first of them that is not the seed, which plans follow from too.
    pub(crate) fn first_of_answers(&self) -> Option<&'static str> {
        let given = [
            ("--ledger-content", self.ledger_content),
            ("--quirk", !self.quirks.is_empty()),
            ("--guardrails", self.guardrails.is_some()),
            ("--faults", self.faults.is_some()),
            ("--answers", self.answers.is_some()),
            ("--quota", !self.quotas.is_empty()),
        ];
        given.into_iter().find_map(|(flag, is_given)| is_given.then_some(flag))
    }

    /// A mock on a free port of loopback that answers as these arguments and the file's table say.
    pub(crate) fn config(&self, table: &MockTable, speed: Speed) -> anyhow::Result<Config> {
        let guardrails = match self.guardrails.as_ref().or(table.guardrails.as_ref()) {
            Some(path) => read_guardrails(path)?,
            None => Vec::new(),
        };
        let faults = match self.faults.as_ref().or(table.faults.as_ref()) {
            Some(path) => read_plan(path)?,
            None => FaultPlan::default(),
        };
        let scripted = match self.answers.as_ref().or(table.answers.as_ref()) {
            Some(path) => ScriptedAnswers::read(path)?,
            None => ScriptedAnswers::default(),
        };
        // Those of the command line come first, so that they hold.
        let quotas = self.quotas.iter().chain(&table.quotas).map(Quota::from).collect();
        let config = Config {
            seed: self.seed(table),
            speed,
            keep_content: self.ledger_content || table.ledger_content,
            quirks: self.quirks.iter().chain(&table.quirks).copied().collect(),
            guardrails,
            faults,
            scripted,
            quotas,
            timing: table.timing.clone(),
            ..Config::default()
        };
        config.validate()?;
        for idle in config.faults.idle() {
            output::complain(&format!("warning: plan of faults: {idle}"));
        }
        Ok(config)
    }
}

fn read_plan(path: &Path) -> anyhow::Result<FaultPlan> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the plan of faults {}", path.display()))?;
    let no_plan = || format!("{} is no plan of faults", path.display());
    let plan: FaultPlan = match path.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => toml::from_str(&text).with_context(no_plan)?,
        Some("yaml" | "yml") => serde_norway::from_str(&text).with_context(no_plan)?,
        _ => serde_json::from_str(&text).with_context(no_plan)?,
    };
    plan.validate().with_context(no_plan)?;
    Ok(plan)
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
