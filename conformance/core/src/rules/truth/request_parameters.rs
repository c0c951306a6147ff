use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::CallView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "truth/request-parameters",
    summary: "sampling parameters are those that were sent",
    level: Level::Violation,
    basis: Basis::Truth,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "`gen_ai.request.max_tokens`, `gen_ai.request.temperature`, \
            `gen_ai.request.top_p` and `gen_ai.request.top_k` of the span against the request, \
            where both have them. Numbers are compared in single precision, which is what some \
            SDKs keep. One that the span lacks is left alone here.",
        why: "Whoever looks for the reason of an answer that was cut or that wanders reads them. A \
            framework's default in place of what was sent misleads.",
        example: "`gen_ai.request.max_tokens = 4096`, the wrapper's default, for a request with \
            512.",
        how_to_mend: "Read the parameters from the request that is sent, after every default and \
            override has been applied.",
    },
    checks: &[Check::Call(check)],
};

fn check(view: &CallView<'_>) -> Vec<Finding> {
    let Some(span) = view.span() else { return Vec::new() };
    let (sent, stated) = (view.call.last().sampling, span.sampling);
    let text = |value: Option<u32>| value.map(|value| value.to_string());
    let differing = |name, sent: Option<f32>, stated: Option<f32>| {
        let (sent, stated) = (sent?, stated?);
        // Not a number is no parameter either.
        let is_same = (sent - stated).abs() <= sent.abs() * f32::EPSILON;
        (!is_same).then(|| differs(name, &sent.to_string(), &stated.to_string()))
    };
    let max_tokens = match (text(sent.max_tokens), text(stated.max_tokens)) {
        (Some(sent), Some(stated)) if sent != stated => {
            Some(differs("gen_ai.request.max_tokens", &sent, &stated))
        }
        _ => None,
    };
    let sampling = [
        differing("gen_ai.request.temperature", sent.temperature, stated.temperature),
        differing("gen_ai.request.top_p", sent.top_p, stated.top_p),
        differing("gen_ai.request.top_k", sent.top_k, stated.top_k),
    ];
    max_tokens.into_iter().chain(sampling.into_iter().flatten()).collect()
}

fn differs(name: &'static str, sent: &str, stated: &str) -> Finding {
    Finding::new("the parameter is not the one that was sent")
        .attribute(name)
        .expected(sent)
        .actual(stated)
}
