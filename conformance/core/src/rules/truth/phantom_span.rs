use spanproof_schemas::report::Level;

use crate::catalogue::catalogue;
use crate::finding::Finding;
use crate::otlp::StatusCode;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::{Standing, StandingView};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "truth/phantom-span",
    summary: "every span of a call stands for a call that was served",
    level: Level::Violation,
    basis: Basis::Truth,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "GenAI spans of model calls that neither a call of the ledger was joined \
            with nor `truth/duplicate-span` explains. A span with the status ERROR may be a call \
            that never reached the service, and is left alone, as are spans that name another \
            provider of the conventions.",
        why: "Sums over spans count calls, tokens and cost that nobody was billed for: answers \
            from a cache of the application, spans started twice, or calls that went to another \
            endpoint than the one that was meant.",
        example: "Ten calls served and eleven `chat` spans, the eleventh for an answer that came \
            from the application's own cache.",
        how_to_mend: "Start the span where the request is sent. If the span is right, the call \
            went past the server that keeps the ledger: check the endpoint.",
    },
    checks: &[Check::Standing(check)],
};

fn check(view: &StandingView<'_>) -> Vec<Finding> {
    let is_phantom = view.has_ledger
        && view.span.role.is_model_call()
        && view.standing == Standing::Free
        && view.span.status != StatusCode::Error
        && !is_of_another_provider(view);
    if is_phantom {
        vec![Finding::new("no call was served that the span could stand for")]
    } else {
        Vec::new()
    }
}

fn is_of_another_provider(view: &StandingView<'_>) -> bool {
    let span = view.span;
    let Some(provider) = view.symbols.option(span.provider) else { return false };
    let is_listed = |name| {
        let attribute =
            catalogue().name(name).and_then(|name| name.in_version(view.semconv().index));
        attribute.is_some_and(|attribute| {
            attribute.members.iter().any(|member| member.value == provider)
        })
    };
    provider != view.settings.provider
        && (is_listed("gen_ai.provider.name") || is_listed("gen_ai.system"))
}
