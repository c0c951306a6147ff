use spanproof_schemas::report::Level;

use crate::attached::Text;
use crate::finding::Finding;
use crate::rules::truth::answer_was_read;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::CallView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "redaction/content-hash",
    summary: "a hash that stands for a prompt or completion is the true one",
    level: Level::Violation,
    basis: Basis::Truth,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "With the policy `hash-only` and a ledger: an attribute of a span of a \
            model call, or of one of its events, that holds one SHA-256 in place of content holds \
            that of what was asked or served. The normalized prompt is the texts of the system \
            prompt and then of the messages, in their order, as they were sent and in UTF-8, with \
            one newline between each and the next; parts that are no text are left out. \
            `gen_ai.input.messages` and `gen_ai.prompt` may hold its hash, or that of the messages \
            alone; `gen_ai.system_instructions` that of the system prompt alone. \
            `gen_ai.output.messages` and `gen_ai.completion` hold the hash of the texts of the \
            answer, joined by nothing; they are looked at where the answer arrived in full. \
            Upper-case digits and `sha256:` before them make no difference. Where an attribute has \
            a hash for each of several parts, only their form is judged, by \
            `redaction/content-leak`.",
        why: "Hashes are there to tell equal prompts from different ones, and to find the span of \
            a prompt that is known. The hash of something else, such as of the request's JSON or \
            of a text that was cut first, finds nothing, and nobody notices.",
        example: "`gen_ai.input.messages` with the SHA-256 of the messages' JSON, which changes \
            with the order of its members.",
        how_to_mend: "Hash the texts themselves, joined as described, before anything redacts or \
            cuts them.",
    },
    checks: &[Check::Call(check)],
};

fn check(view: &CallView<'_>) -> Vec<Finding> {
    let (Some(_), Some(attached)) = (view.span(), view.attached) else { return Vec::new() };
    let Some(hashes) = view.call.last().hashes.as_deref() else { return Vec::new() };
    let answer_was_read = answer_was_read(view);
    let wrong = attached.hashes().filter_map(|(text, hash)| {
        let is_true = match text {
            Text::Input => hashes.prompt == Some(hash) || hashes.messages == Some(hash),
            Text::System => hashes.system == Some(hash),
            Text::Output if !answer_was_read => true,
            Text::Output => hashes.completion == Some(hash),
        };
        let (whose, attribute) = match text {
            Text::Input => ("prompt", "gen_ai.input.messages"),
            Text::System => ("system prompt", "gen_ai.system_instructions"),
            Text::Output => ("answer", "gen_ai.output.messages"),
        };
        (!is_true).then(|| {
            Finding::new(format!("the hash is not that of the {whose}"))
                .attribute(attribute)
                .expected(format!("the SHA-256 of the normalized {whose}"))
                .actual("another hash")
        })
    });
    wrong.collect()
}
