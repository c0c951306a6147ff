use spanproof_schemas::report::Level;

use crate::credential::find;
use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::texts::for_each_text;
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
            web token, or a private key. The names of roles, users and models are no credentials. \
            What was found is never printed.",
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
    let mut findings = Vec::new();
    for_each_text(view.item, &mut |place, name, text| {
        if let Some((kind, bytes)) = find(text) {
            findings.push(
                Finding::new(format!("{} stands in {place}", kind.word()))
                    .attribute(name.to_owned())
                    .expected("no credential")
                    .actual(format!("(masked: {bytes} bytes)")),
            );
        }
    });
    findings
}
