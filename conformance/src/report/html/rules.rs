//! Every rule and what became of it.

use maud::{Markup, html};
use spanproof_schemas::report::{RuleOutcome, RuleState};

use super::findings::anchor;
use super::prose::prose;
use crate::report::number::grouped;
use crate::report::place::looked_at;
use crate::report::text::visible;

pub(super) fn rules(rules: &[RuleOutcome]) -> Markup {
    html! {
        section {
            h2 id="rules" { "Rules" }
            p { "A rule that had nothing to check is no proof of anything." }
            div.scroll {
                table.rules {
                    caption.unseen { "Every rule and what became of it" }
                    thead { tr { th scope="col" { "rule" } th scope="col" { "asks" } th scope="col" { "looked at" }
                        th scope="col" { "found" } } }
                    tbody { @for rule in rules { (row(rule)) } }
                }
            }
        }
    }
}

fn row(rule: &RuleOutcome) -> Markup {
    let (class, looked_at) = match rule.state {
        RuleState::Checked if rule.findings > 0 => ("bad", looked_at(rule)),
        RuleState::Checked if rule.expected > 0 => ("held", looked_at(rule)),
        RuleState::Checked => ("good", looked_at(rule)),
        RuleState::NothingToCheck => ("idle", "nothing to check".to_owned()),
        RuleState::Off => ("idle", "off".to_owned()),
    };
    html! {
        tr class=(class) {
            th scope="row" { (visible(&rule.id)) }
            td { (prose(&rule.summary)) }
            td { (looked_at) }
            td.count {
                @if rule.findings > 0 { a href={ "#" (anchor(&rule.id)) } { (grouped(rule.findings)) } }
                @else if rule.expected == 0 { @if rule.state == RuleState::Checked { "✓" } @else { "–" } }
                @if rule.expected > 0 { a.expected href="#expected" { (grouped(rule.expected)) " expected" } }
            }
        }
    }
}
