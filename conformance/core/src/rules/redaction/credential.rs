use spanproof_schemas::report::Level;

use super::seen;
use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::sweep::Sight;
use crate::view::ContentView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "redaction/credential",
    summary: "no credential stands anywhere in telemetry",
    level: Level::Violation,
    basis: Basis::Policy,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "Every text of every item, GenAI or not, whether content is allowed or not: \
            none holds an AWS access key id, an AWS secret key beside its name, an API key of \
            Bedrock, the signature or security token of a signed request, a bearer token, a JSON \
            web token, or a private key; plain, with the escapes of JSON or URLs, in base64 and in \
            hexadecimal, also within each other. The names of roles, users and models are no \
            credentials. Those that the run planted into prompts and completions are content: where \
            it may stand, so may they. What was found is never printed.",
        why: "Whoever may read telemetry may then call the service, or find out who may. \
            Credentials in a store of traces stay there for as long as the traces do.",
        example: "`aws.auth.account.access_key = AKIA…` on every span; or a signed URL in a status \
            message.",
        how_to_mend: "Do not record headers, signed URLs and client settings; redact them where \
            the finding points, and have the credential replaced.",
    },
    checks: &[Check::Content(check)],
};

fn check(view: &ContentView<'_>) -> Vec<Finding> {
    let suspects = view.sightings.iter().filter_map(|sighting| match &sighting.what {
        // What was planted is content, and allowed or found as such.
        Sight::Suspect { suspect, in_content: true } if suspect.planted.is_some() => None,
        Sight::Suspect { suspect, .. } if !suspect.kind.is_personal() => {
            Some(seen(sighting, suspect).expected("no credential"))
        }
        _ => None,
    });
    suspects.collect()
}
