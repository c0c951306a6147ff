use proptest::prelude::*;

use super::*;
use crate::model;

const HAIKU: &str = "anthropic.claude-3-haiku-20240307-v1:0";
const NOVA: &str = "amazon.nova-lite-v1:0";

fn take(
    throttle: &Throttle,
    id: &str,
    test: Option<&str>,
    tokens: u64,
) -> Result<Reservation, String> {
    let model = model::resolve(id).unwrap();
    match throttle.take(model, test, tokens) {
        Ok(reservation) => Ok(reservation.unwrap()),
        Err(error) => Err(error.message.into_owned()),
    }
}

fn used(mut reservation: Reservation, input_tokens: u64, output_tokens: u64) {
    reservation.settle(Usage { input_tokens, output_tokens, ..Usage::default() });
}

#[test]
fn each_limit_has_its_text() {
    let limited = |quota| Throttle::new(Speed::Max, vec![quota]);
    let few = limited(Quota { requests_per_minute: Some(2), ..Quota::default() });
    for _ in 0..2 {
        used(take(&few, HAIKU, None, 1_000_000).unwrap(), 1, 1);
    }
    let text = "Too many requests, please wait before trying again.";
    assert_eq!(take(&few, HAIKU, None, 1).unwrap_err(), text);
    let minute = limited(Quota { tokens_per_minute: Some(10), ..Quota::default() });
    let text = "Too many tokens, please wait before trying again.";
    assert_eq!(take(&minute, HAIKU, None, 11).unwrap_err(), text);
    let day = limited(Quota { tokens_per_day: Some(10), ..Quota::default() });
    let text = "Too many tokens per day, please wait before trying again.";
    assert_eq!(take(&day, HAIKU, None, 11).unwrap_err(), text);
}

#[test]
fn models_and_tests_have_buckets_of_their_own() {
    let quota = Quota { requests_per_minute: Some(1), ..Quota::default() };
    let throttle = Throttle::new(Speed::Max, vec![quota]);
    for (id, test) in [(HAIKU, None), (NOVA, None), (HAIKU, Some("one")), (HAIKU, Some("two"))] {
        assert!(take(&throttle, id, test, 1).is_ok());
        assert!(take(&throttle, id, test, 1).is_err());
    }
}

#[test]
fn the_first_quota_that_names_a_model_holds() {
    let quota = |model: &str, limit| Quota {
        model: model.to_owned(),
        tokens_per_minute: limit,
        ..Quota::default()
    };
    let throttle = Throttle::new(Speed::Max, vec![quota("anthropic.*", Some(5)), quota("*", None)]);
    assert!(take(&throttle, HAIKU, None, 6).is_err());
    assert!(take(&throttle, NOVA, None, 6).is_ok());
    let none = Throttle::new(Speed::Max, vec![quota("anthropic.*", Some(5))]);
    let model = model::resolve(NOVA).unwrap();
    assert!(none.take(model, None, 1).unwrap().is_none());
}

#[test]
fn time_fills_buckets_up() {
    // A simulated minute is less than a nanosecond here.
    let quota = Quota { tokens_per_minute: Some(10), ..Quota::default() };
    let throttle = Throttle::new(Speed::Times(1e12), vec![quota]);
    for _ in 0..3 {
        used(take(&throttle, HAIKU, None, 10).unwrap(), 10, 0);
    }
}

#[test]
fn a_zero_is_no_limit_and_no_quota() {
    let quota = Quota { tokens_per_day: Some(0), ..Quota::default() };
    assert_eq!(quota.validate().unwrap_err().limit, "tokens_per_day");
    Quota::default().validate().unwrap();
}

proptest! {
    #[test]
    fn what_was_not_used_goes_back(capacity in 1_000..100_000_u64, taken in 0..1_000_u64, input in 0..500_u64, output in 0..500_u64, burndown in 1..6_u64) {
        let quota = Quota { tokens_per_minute: Some(capacity), output_burndown: burndown, ..Quota::default() };
        let throttle = Throttle::new(Speed::Max, vec![quota]);
        used(take(&throttle, HAIKU, None, taken).unwrap(), input, output);
        let left = i128::from(capacity) - i128::from(input + output * burndown);
        let left = u64::try_from(left).unwrap_or(0);
        prop_assert!(take(&throttle, HAIKU, None, left + 1).is_err());
        prop_assert!(take(&throttle, HAIKU, None, left).is_ok() || left == 0);
    }

    #[test]
    fn an_answer_that_never_came_takes_nothing(taken in 0..=1_000_u64) {
        let quota = Quota { tokens_per_minute: Some(1_000), ..Quota::default() };
        let throttle = Throttle::new(Speed::Max, vec![quota]);
        drop(take(&throttle, HAIKU, None, taken));
        prop_assert!(take(&throttle, HAIKU, None, 1_000).is_ok());
    }
}
