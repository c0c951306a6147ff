use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::CallView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "truth/response",
    summary: "the response id and model are those of the answer's body",
    level: Level::Violation,
    basis: Basis::Truth,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "`gen_ai.response.id` and `gen_ai.response.model` of spans whose answer \
            has them in its body: they are the same. A model may be shorter or longer, such as \
            with its vendor; the request's own id in its place is an improvement. Neither is due: \
            the answers of Converse have none.",
        why: "The response id is what a user quotes to the provider, and the response model is what \
            really answered. One of another call leads both astray.",
        example: "`gen_ai.response.id` set from the request id of the HTTP headers, while the body \
            says `msg_01…`.",
        how_to_mend: "Set both from the body of the answer, in streams from its first event, and \
            leave them out where the body has none.",
    },
    checks: &[Check::Call(check)],
};

fn check(view: &CallView<'_>) -> Vec<Finding> {
    id(view).into_iter().chain(model(view)).collect()
}

fn id(view: &CallView<'_>) -> Option<Finding> {
    let stated = view.span()?.response_id.as_deref()?;
    let served = view.call.last().response_id.as_deref()?;
    (stated != served).then(|| {
        Finding::new("the response id is not that of the answer's body")
            .attribute("gen_ai.response.id")
            .expected(served)
            .actual(stated)
    })
}

fn model(view: &CallView<'_>) -> Option<Finding> {
    let exchange = view.call.last();
    let stated = view.span()?.response_model?;
    let served = exchange.response_model.filter(|served| *served != stated)?;
    let is_requested = stated == exchange.model;
    let (stated, served) = (view.symbols.text(stated), view.symbols.text(served));
    if stated.contains(served) || served.contains(stated) && !stated.is_empty() {
        return None;
    }
    let finding = if is_requested {
        Finding::new("the response model is the id that was sent, and the answer's body names one")
            .level(Level::Improvement)
    } else {
        Finding::new("the response model is not that of the answer's body")
    };
    Some(finding.attribute("gen_ai.response.model").expected(served).actual(stated))
}
