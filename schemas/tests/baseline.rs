//! The file of a baseline is what its JSON Schema says.

mod support;

use spanproof_schemas::baseline::{BASELINE_VERSION, Baseline, Counted};
use spanproof_schemas::report::Level;
use support::{assert_refuses_spoiled, document, validator};

#[test]
fn a_baseline_is_what_its_schema_says() {
    let schema = validator("baseline");
    let smallest = Counted {
        rule: "truth/missing-span".to_owned(),
        level: Level::Violation,
        scope: None,
        span_type: None,
        metric: None,
        event: None,
        attribute: None,
        count: 1,
    };
    let text = || Some("a name".to_owned());
    let largest = Counted {
        scope: text(),
        span_type: text(),
        metric: text(),
        event: text(),
        attribute: text(),
        ..smallest.clone()
    };
    for findings in [vec![], vec![smallest, largest]] {
        let baseline = Baseline { version: BASELINE_VERSION, fail_on: Level::Violation, findings };
        assert_refuses_spoiled(&schema, &document(&schema, &baseline), &[]);
    }
}
