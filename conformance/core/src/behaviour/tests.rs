//! Laws of the comparison.

use std::collections::BTreeMap;

use proptest::prelude::*;
use spanproof_schemas::ledger::{Exchange, SentRequest};

use super::{Behaviour, ComparedCall, Lines, Observed, exceptions};

/// A request for one of a few models, with one of a few prompts.
fn exchange(sequence: u64, model: u8, prompt: u8) -> Exchange {
    let body = BTreeMap::from([("/prompt".to_owned(), prompt.to_string())]);
    let request = SentRequest { target: format!("/model/{model}"), headers: BTreeMap::new(), body };
    Exchange {
        sequence,
        arrived_unix_nanos: sequence * 10,
        finished_unix_nanos: sequence * 10 + 5,
        delivered: true,
        request: Some(Box::new(request)),
        ..Exchange::default()
    }
}

fn run(asked: &[(u8, u8)], output: &[String]) -> Observed {
    let exchanges = (0..).zip(asked).map(|(at, (model, prompt))| exchange(at, *model, *prompt));
    Observed { exchanges: exchanges.collect(), output: output.to_vec(), ..Observed::default() }
}

fn asked() -> impl Strategy<Value = Vec<(u8, u8)>> {
    prop::collection::vec((0_u8..3, 0_u8..4), 0..12)
}

proptest! {
    #[test]
    fn a_run_behaves_as_itself_in_any_order_of_requests(
        (asked, shuffled) in asked().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        output in prop::collection::vec("[a-c ]{0,4}", 0..5),
    ) {
        let without = run(&asked, &output);
        let behaviour = Behaviour::of([&without, &without], &run(&shuffled, &output));
        prop_assert_eq!(behaviour.calls.len(), asked.len());
        prop_assert!(behaviour.missing.is_empty() && behaviour.extra.is_empty());
        for call in &behaviour.calls {
            prop_assert!(call.changes.is_empty() && call.headers.is_empty());
        }
        prop_assert_eq!(behaviour.output, Lines::Compared(Vec::new()));
    }

    #[test]
    fn what_is_added_or_taken_away_is_counted_and_what_is_changed_is_a_change(
        asked in asked(),
        more in asked(),
    ) {
        let without = run(&asked, &[]);
        let both = [&asked[..], &more[..]].concat();
        let added = Behaviour::of([&without, &without], &run(&both, &[]));
        prop_assert_eq!(added.calls.len() + added.extra.len(), both.len());
        prop_assert_eq!((added.extra.len(), added.missing.len()), (more.len(), 0));
        let whole = run(&both, &[]);
        let taken = Behaviour::of([&whole, &whole], &without);
        prop_assert_eq!((taken.extra.len(), taken.missing.len()), (0, more.len()));
    }

    #[test]
    fn a_request_that_differs_is_found_wherever_it_is(asked in asked(), at in any::<prop::sample::Index>()) {
        prop_assume!(!asked.is_empty());
        let mut changed = asked.clone();
        at.get_mut(&mut changed[..]).1 = 200;
        let without = run(&asked, &[]);
        let behaviour = Behaviour::of([&without, &without], &run(&changed, &[]));
        let changes: Vec<_> = behaviour.calls.iter().flat_map(|call| &call.changes).collect();
        prop_assert_eq!(changes.len(), 1);
        prop_assert_eq!(changes[0].with.as_deref(), Some("200"));
    }

    #[test]
    fn whatever_is_printed_nothing_panics(lines in prop::collection::vec(".{0,9}", 0..6), text in "(?s).{0,200}") {
        let [a, b, c] = [&lines[..lines.len() / 3], &lines[lines.len() / 3..], &lines[..]];
        let _ = Lines::of([a, b], c);
        let _ = exceptions(&text);
    }
}

#[test]
fn exceptions_are_told_by_their_types_in_every_language() {
    let python = "\
Traceback (most recent call last):
  File \"app.py\", line 1, in <module>
    raise ValueError(\"x\")
botocore.exceptions.EventStreamError: An error occurred

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File \"app.py\", line 3, in <module>
KeyError: 'a'
WARNING: nothing
";
    assert_eq!(exceptions(python), ["botocore.exceptions.EventStreamError", "KeyError"]);
    let node = "\
/app.js:3
throw error;
^

TypeError: x is not a function
    at main (/app.js:3:1)
    at node:internal/main:1:1
";
    assert_eq!(exceptions(node), ["TypeError"]);
    let java = "Exception in thread \"main\" java.lang.IllegalStateException: no\n\tat App.main(App.java:3)\n";
    assert_eq!(exceptions(java), ["java.lang.IllegalStateException"]);
    assert_eq!(exceptions("- see below\n    at noon we eat\n"), Vec::<String>::new());
}

#[test]
fn how_far_streams_are_read_is_taken_from_the_later_runs() {
    let whole = run(&[(1, 1), (1, 2)], &[]);
    let mut left = whole.clone();
    left.exchanges[1].delivered = false;
    let mut behaviour = Behaviour::of([&whole, &left], &whole);
    assert!(behaviour.has_doubtful_reading());
    behaviour.read_again(&Behaviour::of([&left, &left], &whole));
    let read: Vec<bool> = behaviour.calls.iter().map(ComparedCall::is_read_otherwise).collect();
    assert_eq!(read, [false, true]);
    behaviour.read_again(&Behaviour::of([&left, &left], &left));
    assert!(!behaviour.calls.iter().any(ComparedCall::is_read_otherwise));
}
