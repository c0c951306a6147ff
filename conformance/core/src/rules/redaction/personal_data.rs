use spanproof_schemas::report::Level;

use super::seen;
use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::sweep::Sight;
use crate::view::ContentView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "redaction/personal-data",
    summary: "no personal data stands outside of what is kept for content",
    level: Level::Improvement,
    basis: Basis::Policy,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "Every text of every item, GenAI or not, for e-mail addresses, telephone \
            numbers (international ones with their `+`, those of North America as `202-555-0147` \
            or `(202) 555-0147`), payment card numbers (of a range and length that networks give \
            out, with the right check digit) and social security numbers (three, two and four \
            digits with hyphens, or named as such); plain, with the escapes of JSON or URLs, in \
            base64 and in hexadecimal, also within each other. What the run planted into prompts \
            and completions is a violation wherever it stands outside of the attributes, bodies \
            and events that are kept for content, about which the policy decides as a whole. What \
            merely has the form is an improvement: the form alone does not tell whose number it \
            is, or whether it may be there. Numbers of integer type, digits that are all of an \
            identifier, the users of URLs, and attributes that the conventions keep for persons \
            (`user.*`, `enduser.*`) are left alone. What was found is never printed.",
        why: "Personal data in telemetry falls under the rules for personal data: it has to be \
            found and deleted on demand, in every copy of the traces, and in the labels of metrics \
            it never goes away.",
        example: "`app.customer = ines@example.com` as an attribute of a metric; or a validation \
            error that quotes the telephone number of a prompt, in the status message.",
        how_to_mend: "Record an identifier that only the application can resolve, and redact \
            exception and status messages. If such attributes are wanted, turn the rule off or \
            lower its level in `spanproof.toml`; if none is, raise it to `violation`.",
    },
    checks: &[Check::Content(check)],
};

/// What the conventions keep for persons.
const PERSONS: [&str; 2] = ["user.", "enduser."];

fn check(view: &ContentView<'_>) -> Vec<Finding> {
    let suspects = view.sightings.iter().filter_map(|sighting| {
        let Sight::Suspect { suspect, in_content: false } = &sighting.what else { return None };
        let is_for_persons = PERSONS.iter().any(|prefix| sighting.name.starts_with(prefix));
        if !suspect.kind.is_personal() || (is_for_persons && suspect.planted.is_none()) {
            return None;
        }
        let level = if suspect.planted.is_some() { Level::Violation } else { Level::Improvement };
        Some(seen(sighting, suspect).level(level).expected("no personal data"))
    });
    suspects.collect()
}
