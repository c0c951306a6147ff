use spanproof_schemas::report::{JoinMeans, Level};

use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::{CallView, Carried, Match};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "trace/request-context",
    summary: "the request of a call is sent under the call's span",
    level: Level::Improvement,
    basis: Basis::Truth,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "The trace context that the last request of a call carried, against the \
            call's span. It names that span, or one within it, such as that of the HTTP client. \
            One around it or beside it is an improvement. One of another trace is a violation: \
            the span has lost the trace that the request was made in, or the request that of the \
            span; where nothing but time brought call and span together, it is an improvement. A \
            request without a context, and one with a span that was not exported, are left alone.",
        why: "What the service and the transport do is drawn below the span that the request names. \
            Beside the call it looks like something else that the application did, in another \
            trace it is never found.",
        example: "The span of `POST /model/…/converse` is a child of the application's span, not of \
            `chat anthropic.…`, since the call's span is never the current one.",
        how_to_mend: "Make the call's span the current one while the request is sent, and start it \
            in the context that the caller has.",
    },
    checks: &[Check::Call(check)],
};

fn check(view: &CallView<'_>) -> Vec<Finding> {
    let Match::Span(span, means) = view.matched else { return Vec::new() };
    let finding = match view.carried {
        Carried::Own | Carried::Within | Carried::Unknown => return Vec::new(),
        Carried::OtherTrace => {
            let finding = Finding::new("the request was made in another trace than its span is in");
            match means {
                JoinMeans::TimeOverlap => finding,
                _ => finding.level(Level::Violation),
            }
        }
        Carried::Around => Finding::new("the request carries a span around the call's own"),
        Carried::Beside => Finding::new("the request carries a span beside the call's own"),
    };
    let hex = crate::model::hex;
    let current = view.call.last().current_span;
    let actual = current.map(|id| format!("span {} of trace {}", hex(&id.span), hex(&id.trace)));
    vec![
        finding
            .attribute("traceparent")
            .expected(format!("span {} or one within it", hex(&span.id.span)))
            .actual(actual.unwrap_or_default()),
    ]
}
