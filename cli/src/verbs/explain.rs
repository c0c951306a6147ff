//! `spanproof explain RULE`

use anyhow::{Error, anyhow};
use conformance::report::terminal;

use crate::exit::{Failure, OrFail as _, Outcome};
use crate::output;

/// How like a rule's id a name must be to be taken for it, mistyped.
const LIKE: f64 = 0.85;

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The rule's id, such as `usage/input-tokens`
    rule: String,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let rule =
        conformance_core::rules::find(&args.rule).ok_or_else(|| unknown(&args.rule)).or_usage()?;
    let page = conformance_core::docs::page(rule);
    // What stands before is for those who would edit the file.
    let text = page.split_once("-->\n\n").map_or(page.as_str(), |(_, text)| text);
    output::show(terminal(text, output::style()))?;
    Ok(Outcome::Conforms)
}

/// What to tell who asks for a rule that there is not: the one that was meant, if one is near.
fn unknown(name: &str) -> Error {
    let likeness = |id: &str| strsim::jaro_winkler(id, name);
    let ids = conformance_core::rules::RULES.iter().map(|rule| rule.id);
    let nearest = ids.max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    let meant = match nearest.filter(|id| likeness(id) >= LIKE) {
        Some(id) => format!("did you mean `{id}`? "),
        None => String::new(),
    };
    anyhow!("unknown rule `{name}`; {meant}`spanproof rules` lists them")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_rule_is_told_which_was_meant() {
        assert_eq!(
            unknown("usage/inptokens").to_string(),
            "unknown rule `usage/inptokens`; did you mean `usage/input-tokens`? `spanproof rules` \
             lists them"
        );
        assert_eq!(unknown("x").to_string(), "unknown rule `x`; `spanproof rules` lists them");
    }
}
