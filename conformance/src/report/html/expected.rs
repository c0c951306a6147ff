//! What is expected to be found.

use maud::{Markup, html};
use spanproof_schemas::report::{Deviation, Report};

use super::prose::prose;
use crate::report::expected::{
    self, all_held, baselines, count, entries, of_kinds, taken, why, written,
};
use crate::report::number::grouped;
use crate::report::text::visible;

/// What no longer holds.
pub(super) fn broken(report: &Report) -> Markup {
    html! {
        @if expected::broken(report).next().is_some() {
            section {
                h2 id="broken" { "Expected deviations that no longer hold" }
                @for (deviation, problem) in expected::broken(report) {
                    article.violation {
                        h3 { span.level { "error" } " " (visible(&written(deviation))) }
                        p.message { (prose(problem)) }
                        dl.values {
                            div { dt { "takes" } dd { code { (visible(&taken(deviation))) } } }
                            @if deviation.reason.is_some() {
                                div { dt { "reason" } dd { (visible(&why(deviation))) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What was found and is expected.
pub(super) fn held(report: &Report) -> Markup {
    html! {
        @if all_held(report) > 0 {
            section {
                h2 id="expected" { "Expected findings" }
                p { "What the project knows to be wrong. It fails nothing as long as it is what was "
                    "expected." }
                div.scroll {
                    table.expected {
                        caption.unseen { "Expected findings and why they are expected" }
                        thead { tr {
                            th scope="col" { "written in" } th scope="col" { "takes" }
                            th scope="col" { "found" } th scope="col" { "reason" }
                        } }
                        tbody {
                            @for deviation in entries(report) { (row(deviation)) }
                            @for (file, found) in baselines(report) {
                                tr {
                                    th scope="row" { (visible(file)) }
                                    td { "what was there before" }
                                    td { (of_kinds(found)) }
                                    td { "" }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn row(deviation: &Deviation) -> Markup {
    html! {
        tr {
            th scope="row" { (visible(&written(deviation))) }
            td { code { (visible(&taken(deviation))) } }
            td {
                (count(deviation))
                @for group in &deviation.findings {
                    span.says { (visible(&group.rule)) ": " (prose(&group.message)) " "
                        (grouped(group.count)) "×" }
                }
            }
            td { (visible(&why(deviation))) }
        }
    }
}
