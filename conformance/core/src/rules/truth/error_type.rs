use spanproof_schemas::report::Level;

use crate::call::Outcome;
use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::CallView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "truth/error-type",
    summary: "an error.type that names an error of the service names the one that was served",
    level: Level::Violation,
    basis: Basis::Truth,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "`error.type` of the spans of failed calls, where it is the name of an \
            error of AWS Bedrock or an HTTP status: it is the one that was served. Package names \
            before it and the ending `Exception` make no difference, nor does case. Other words, \
            such as the class of an SDK's exception, are left alone, for nothing settles them.",
        why: "Throttling is waited out, a bad request is mended, a denied one is granted: each has \
            its own alert, and `error.type` tells which to raise.",
        example: "A call answered with `ThrottlingException`, and `error.type = \
            ValidationException`, the library's default.",
        how_to_mend: "Take the code from the service's error.",
    },
    checks: &[Check::Call(check)],
};

/// The errors of AWS Bedrock, without their ending and in lower case.
const ERRORS: [&str; 12] = [
    "accessdenied",
    "conflict",
    "internalserver",
    "modelerror",
    "modelnotready",
    "modelstreamerror",
    "modeltimeout",
    "resourcenotfound",
    "servicequotaexceeded",
    "serviceunavailable",
    "throttling",
    "validation",
];

fn check(view: &CallView<'_>) -> Vec<Finding> {
    let Some(stated) = view.span().and_then(|span| view.symbols.option(span.error_type)) else {
        return Vec::new();
    };
    let Outcome::Failed(Some(served)) = view.call.outcome(view.symbols) else {
        return Vec::new();
    };
    let served = view.symbols.text(served);
    let status = view.call.last().status;
    let is_other = if let Ok(stated) = stated.parse::<u16>() {
        // An exception within a stream comes with the status of a success.
        status >= 400 && stated != status
    } else {
        let (stated, served) = (stem(stated), stem(served));
        ERRORS.contains(&stated.as_str()) && stated != served
    };
    if !is_other {
        return Vec::new();
    }
    vec![
        Finding::new("the `error.type` is that of another error than was served")
            .attribute("error.type")
            .expected(served)
            .actual(stated),
    ]
}

/// What an error is called, whichever way it is written.
fn stem(error: &str) -> String {
    let name = error.rsplit(['.', '$', '#', ':']).next().unwrap_or(error).to_ascii_lowercase();
    let name = name.strip_suffix("exception").unwrap_or(&name);
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::stem;

    #[test]
    fn an_error_is_the_same_however_it_is_written() {
        let written = [
            "ThrottlingException",
            "throttlingException",
            "software.amazon.awssdk.services.bedrockruntime.model.ThrottlingException",
            "com.amazonaws.bedrock#ThrottlingException",
        ];
        assert!(written.iter().all(|error| stem(error) == "throttling"));
        assert_eq!(stem("ModelErrorException"), "modelerror");
    }
}
