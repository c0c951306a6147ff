//! Which invariant of the design a rule stands for.

/// A column of the matrix.
pub(super) struct Invariant {
    pub(super) id: &'static str,
    pub(super) meaning: &'static str,
}

pub(super) const INVARIANTS: [Invariant; 12] = [
    Invariant { id: "X1", meaning: "every call has exactly one span, and it ends" },
    Invariant { id: "X2", meaning: "the span's tokens are those that were served" },
    Invariant { id: "X3", meaning: "metrics sum up to what the spans say" },
    Invariant { id: "X4", meaning: "metrics name real models, and their series stay bounded" },
    Invariant { id: "X5", meaning: "model and span name are what was asked for" },
    Invariant { id: "X6", meaning: "streams are told as whole answers are, until their end" },
    Invariant { id: "X7", meaning: "failures are errors of one type everywhere, success is unset" },
    Invariant { id: "X8", meaning: "no content where it is off" },
    Invariant { id: "X9", meaning: "the application notices nothing" },
    Invariant { id: "X10", meaning: "callers keep their spans, calls their parents" },
    Invariant { id: "X11", meaning: "types are those of the conventions" },
    Invariant { id: "X12", meaning: "one dialect, one unit, names of the stated version" },
];

/// The invariant that a rule stands for; nothing for a rule that is not known.
pub(super) fn of(rule: &str) -> Option<&'static str> {
    let (group, name) = rule.split_once('/')?;
    Some(match (group, name) {
        ("truth", "request-model") | ("naming", "span-name") => "X5",
        ("truth", "finish-reasons") | ("streaming", _) => "X6",
        ("truth", _) => "X1",
        ("usage", _) => "X2",
        ("metrics", "model") | ("cardinality", _) => "X4",
        ("metrics", "error-type") | ("status", _) => "X7",
        ("metrics", "unit")
        | ("naming" | "resource" | "presence" | "deprecation" | "kind" | "events", _) => "X12",
        ("metrics", _) => "X3",
        ("redaction" | "content", _) => "X8",
        ("behaviour", _) => "X9",
        ("trace", _) => "X10",
        ("types" | "values" | "limits", _) => "X11",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use conformance_core::rules::RULES;

    use super::*;

    #[test]
    fn every_rule_stands_for_an_invariant() {
        // A snapshot is compared with an earlier run, and no cell has one.
        for rule in RULES.iter().filter(|rule| !rule.id.starts_with("snapshot/")) {
            let id = of(rule.id).unwrap_or_else(|| panic!("{} stands for none", rule.id));
            assert!(INVARIANTS.iter().any(|invariant| invariant.id == id), "{id}");
        }
    }
}
