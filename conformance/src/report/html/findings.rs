//! What was found, rule by rule.

use maud::{Markup, html};
use spanproof_schemas::report::{Example, FindingGroup, Level, Report};

use super::prose::prose;
use super::waterfall::waterfall;
use crate::report::number::{counted, grouped};
use crate::report::place::{by_rule, excerpt, place, rule};
use crate::report::text::visible;

pub(super) fn findings(report: &Report) -> Markup {
    let rules = by_rule(&report.findings);
    html! {
        @if !rules.is_empty() {
            section {
                h2 id="findings" { "Findings" }
                @for (at, groups) in rules.iter().enumerate() {
                    // A rule may have findings of several levels; links go to the gravest.
                    @let is_first = rules[..at].iter().all(|known| known[0].rule != groups[0].rule);
                    (of_rule(report, groups, is_first))
                }
            }
        }
    }
}

/// The fragment of the findings of a rule.
pub(super) fn anchor(rule: &str) -> String {
    let letter = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    format!("rule-{}", rule.chars().map(letter).collect::<String>())
}

fn of_rule(report: &Report, groups: &[FindingGroup], is_first: bool) -> Markup {
    let first = &groups[0];
    let class = match first.level {
        Level::Violation => "violation",
        Level::Improvement => "improvement",
        Level::Information => "information",
    };
    html! {
        article id=[is_first.then(|| anchor(&first.rule))] class=(class) {
            h3 { span.level { (first.level.as_str()) } " " (visible(&first.rule)) }
            @if let Some(rule) = rule(report, first) { p.summary { (prose(&rule.summary)) } }
            @for (at, group) in groups.iter().enumerate() {
                (of_group(report, group, at == 0))
            }
            @if let Some(rule) = rule(report, first) {
                dl.advice {
                    dt { "Why" } dd { (prose(&rule.why)) }
                    dt { "How to mend" } dd { (prose(&rule.how_to_mend)) }
                    dt { "Basis" } dd { (prose(&rule.basis)) " · "
                        a href=(rule.reference) rel="noreferrer" { "the conventions" } " · "
                        code { "spanproof explain " (visible(&first.rule)) } }
                }
            }
        }
    }
}

fn of_group(report: &Report, group: &FindingGroup, is_open: bool) -> Markup {
    let shown = group.examples.len() as u64;
    html! {
        div.group {
            p.message { (prose(&group.message)) " " span.count { (grouped(group.count)) "×" } }
            @if shown > 0 {
                @let (open, folded) = group.examples.split_at(usize::from(is_open));
                @for example in open { (of_example(report, example)) }
                @if !folded.is_empty() {
                    details {
                        summary {
                            (counted(folded.len() as u64, if is_open { "more example" } else { "example" }))
                            @if group.count > shown { " of " (grouped(group.count)) }
                        }
                        @for example in folded { (of_example(report, example)) }
                    }
                }
            }
        }
    }
}

fn of_example(report: &Report, example: &Example) -> Markup {
    let marked = example.subject.span_id.as_deref().unwrap_or_default();
    let excerpt = excerpt(report, example);
    let span = excerpt
        .and_then(|excerpt| excerpt.spans.iter().find(|span| span.span_id == marked))
        .filter(|span| !span.attributes.is_empty());
    html! {
        div.example {
            p.place {
                @if let Some(name) = &example.subject.span_name { strong { (visible(name)) } " " }
                @for (label, value) in place(&example.subject) {
                    span.part { (label) " " code { (visible(&value)) } } " "
                }
            }
            @if let Some(excerpt) = excerpt { (waterfall(excerpt, marked)) }
            dl.values {
                @for (title, value) in [
                    ("attribute", &example.attribute),
                    ("expected", &example.expected),
                    ("actual", &example.actual),
                ] {
                    @if let Some(value) = value { div class=(title) { dt { (title) } dd { code { (visible(value)) } } } }
                }
            }
            @if let Some(span) = span {
                details {
                    summary { "attributes of the span" }
                    div.scroll {
                        table.attributes {
                            tbody {
                                @for (name, value) in &span.attributes {
                                    @let at_fault = example.attribute.as_deref() == Some(name);
                                    tr class=[at_fault.then_some("differs")] {
                                        th scope="row" { code { (visible(name)) } }
                                        td { code { (visible(value)) } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
