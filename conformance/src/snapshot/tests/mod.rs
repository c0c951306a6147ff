//! What a snapshot shows, and what it does not.

mod laws;
mod sample;

use super::{Snapshot, Withheld};
use crate::capture::Export;

fn text(exports: Vec<Export>, withheld: Withheld) -> String {
    let mut snapshot = Snapshot::new(withheld);
    for export in exports {
        snapshot.add(export);
    }
    snapshot.text()
}

#[test]
fn a_snapshot_reads_as_what_happened() {
    insta::assert_snapshot!("telemetry", text(sample::exports(), Withheld::default()));
}

#[test]
fn content_is_withheld_where_it_stands_and_where_a_marker_stands() {
    let open = text(sample::exports(), Withheld::default());
    assert!(open.contains("rivers") && open.contains("SPMC1234ABCD"));
    let planted = vec!["SPMC1234".to_owned()];
    let withheld = text(sample::exports(), Withheld { content: true, planted });
    assert!(!withheld.contains("rivers") && !withheld.contains("SPMC"), "{withheld}");
    assert!(withheld.contains("gen_ai.input.messages = <content string>"), "{withheld}");
    assert!(withheld.contains("status ERROR <content string>"), "{withheld}");
}

#[test]
fn a_span_that_is_its_own_ancestor_and_one_deep_below_others_are_written_all_the_same() {
    let mut exports = sample::chain(500);
    exports.extend(sample::circle());
    let text = text(exports, Withheld::default());
    assert_eq!(text.matches("(it is below itself)").count(), 2);
    assert_eq!(text.matches("span \"link of a chain\"").count(), 500);
    assert!(text.contains("[500 deep] span"));
    assert!(text.lines().all(|line| line.len() < 200));
}

#[test]
fn ids_do_not_show_where_text_names_them_either() {
    let naming = |trace: u128| {
        let mut span = sample::span(trace, 7, 0, "request", 1);
        let header = format!("00-{trace:032x}-{:016x}-01", 7);
        span.attributes = vec![sample::attribute("traceparent", sample::text(&header))];
        text(vec![sample::traces("application", vec![span])], Withheld::default())
    };
    let (one, other) = (naming(0x1234_5678_9abc_def0), naming(0xfed_cba9_8765_4321));
    assert_eq!(one, other);
}
