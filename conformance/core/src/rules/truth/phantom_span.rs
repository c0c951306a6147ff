use spanproof_schemas::report::Level;

use crate::catalogue::catalogue;
use crate::finding::Finding;
use crate::model::SpanFacts;
use crate::otlp::StatusCode;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::{RunView, Standing};

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
    checks: &[Check::Run(check)],
};

fn check(view: &RunView<'_>) -> Vec<Finding> {
    if !view.has_ledger {
        return Vec::new();
    }
    let free = view.spans.iter().zip(view.standing).filter(|(span, standing)| {
        span.role.is_model_call()
            && **standing == Standing::Free
            && span.status != StatusCode::Error
            && !is_of_another_provider(view, span)
    });
    free.map(|(span, _)| {
        Finding::new("no call was served that the span could stand for")
            .about(span.subject(view.symbols))
    })
    .collect()
}

fn is_of_another_provider(view: &RunView<'_>, span: &SpanFacts) -> bool {
    let Some(provider) = view.symbols.option(span.provider) else { return false };
    let is_listed = |name| {
        let attribute = catalogue().name(name).and_then(|name| name.in_version(span.semconv));
        attribute.is_some_and(|attribute| {
            attribute.members.iter().any(|member| member.value == provider)
        })
    };
    provider != view.settings.provider
        && (is_listed("gen_ai.provider.name") || is_listed("gen_ai.system"))
}
