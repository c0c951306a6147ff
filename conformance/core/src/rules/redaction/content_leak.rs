use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::redaction::Redaction;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::scan::{Leak, masked};
use crate::sweep::Sight;
use crate::view::ContentView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "redaction/content-leak",
    summary: "text of prompts and completions stands nowhere but where the policy allows it",
    level: Level::Violation,
    basis: Basis::Policy,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "What the policy lets stand in the attributes that the conventions keep for \
            content: `gen_ai.input.messages`, `gen_ai.output.messages`, \
            `gen_ai.system_instructions`, `gen_ai.prompt`, `gen_ai.completion`, the arguments and \
            results of tool calls, and in the bodies of events of one message each, such as \
            `gen_ai.user.message`. With `no-content`, nothing: placeholders such as `[REDACTED]` or \
            `***`, hashes, and messages of nothing but roles and types are no content. With \
            `hash-only`, the SHA-256 of the text, whose truth is `redaction/content-hash`. With \
            `marker`, a placeholder. With `truncated(N)`, texts of N characters at most, also in \
            the attributes of other vocabularies, such as `input.value`. With `events-only`, \
            anything in the log records of GenAI events, and nothing in spans and their events. \
            With `external-reference`, a URI or an ARN of where the content is kept; \
            `gen_ai.input.messages_ref` and its siblings hold nothing else whatever the policy. \
            Definitions of tools, which are opt-in too, are an improvement if they are more than \
            names and types. With a ledger also: every text of every item, GenAI or not, for the \
            markers that the run planted in prompts and completions, wherever the policy lets no \
            content stand: span names, attribute names and values of any depth, bytes, events, \
            links, status messages, trace state, resources, scopes, metric attributes and \
            exemplars, log bodies and attributes. Markers are found plain, with JSON escapes, in \
            base64 at any alignment and in either alphabet, in hexadecimal, with percent escapes, \
            and in these within each other; also when the text was cut after the first eight \
            characters of a marker. The rule is quiet with `content-allowed`. The leaked text \
            itself is never printed.",
        why: "Prompts hold personal and confidential text. Telemetry is kept longer, copied \
            further and read by more people than the application's own data.",
        example: "`gen_ai.input.messages` on a span although content capture is off; or a prompt \
            quoted in the message of a validation error, which became the span's status message.",
        how_to_mend: "Switch content capture off, redact where the finding points, or state the \
            policy that is meant: `--redaction`, or `redaction` in `spanproof.toml`. Exception \
            messages and status messages need redaction too: services quote their input.",
    },
    checks: &[Check::Content(check)],
};

fn check(view: &ContentView<'_>) -> Vec<Finding> {
    let findings = view.sightings.iter().filter_map(|sighting| {
        let finding = match &sighting.what {
            Sight::Marker(leak, bytes) => marker(view.redaction, sighting.place, *leak, *bytes),
            Sight::Content(bytes) => content(view.redaction, sighting.place, *bytes),
            Sight::Definitions(shown) => definitions(view.redaction, shown),
            Sight::Suspect { .. } => return None,
        };
        Some(finding.attribute(sighting.name.clone()))
    });
    findings.collect()
}

fn marker(redaction: Redaction, place: &str, leak: Leak, bytes: usize) -> Finding {
    let (clause, whose) = (redaction.clause(), leak.origin.words());
    Finding::new(format!("{clause}, and text of {whose} stands in {place}"))
        .expected("no content")
        .actual(format!("{}, {}", leak.encoding.word(), masked(bytes)))
}

/// A place that is kept for content has some, whether a marker tells or not.
fn content(redaction: Redaction, place: &str, bytes: Option<usize>) -> Finding {
    let message = match redaction {
        Redaction::Truncated(_) => format!("{place} holds longer content than allowed"),
        Redaction::HashOnly | Redaction::Marker | Redaction::ExternalReference => {
            format!("{}, and {place} holds something else", redaction.clause())
        }
        _ => format!("{}, and {place} holds some", redaction.clause()),
    };
    let size = match bytes {
        Some(bytes) => format!("(masked: {bytes} bytes of content)"),
        None => "(masked: content)".to_owned(),
    };
    Finding::new(message).expected(redaction.expected()).actual(size)
}

/// Definitions of tools are the application's own text, and opt-in like content.
fn definitions(redaction: Redaction, shown: &str) -> Finding {
    let message = format!("{}, and the definitions of tools are captured", redaction.clause());
    let finding = Finding::new(message).level(Level::Improvement);
    finding.expected("names and types at most").actual(shown)
}
