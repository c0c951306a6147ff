use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::otlp::StatusCode;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::SpanView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "status/ok-not-set",
    summary: "instrumentation leaves the status of a successful span unset",
    level: Level::Improvement,
    basis: Basis::Should("trace API, set status: instrumentation libraries SHOULD NOT set Ok"),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "The status of every GenAI span: OK is for the application to set. That a \
            span of a failed call says OK is `status/error-type`.",
        why: "OK is final: once it is set, an error that the application finds afterwards, such as \
            an answer it cannot use, can no longer be marked on the span.",
        example: "A span with the status OK, set by the instrumentation when the call returned.",
        how_to_mend: "Set the status on errors only.",
    },
    checks: &[Check::Span(check)],
};

fn check(view: &SpanView<'_>) -> Vec<Finding> {
    if view.status() == StatusCode::Ok {
        vec![
            Finding::new("the status is OK, which is the application's to set")
                .attribute("status")
                .expected("UNSET")
                .actual("OK"),
        ]
    } else {
        Vec::new()
    }
}
