//! Whether a receiver is still worth an attempt.

use tokio::time::Instant;

use crate::delivery::{Delivery, Retrying};

/// After so many requests in a row that could not be delivered a receiver is given up.
const FAILURES_UNTIL_GIVEN_UP: u32 = 3;

/// How a receiver has done lately. One that is not there must not hold up a run for the whole time
/// that each request may take; one that comes back must get what is still to come.
#[derive(Debug, Default)]
pub(super) struct Standing {
    failures_in_a_row: u32,
    /// When it was last asked to take anything.
    asked: Option<Instant>,
}

impl Standing {
    /// How long and how often a request is tried that is to be sent `now`; `None` for not at all. After
    /// a failure that is once, and when the receiver has been given up once in the time that an attempt
    /// may take.
    pub(super) fn effort(&mut self, retrying: Retrying, now: Instant) -> Option<Retrying> {
        let effort = match self.failures_in_a_row {
            0 => Some(retrying),
            1..FAILURES_UNTIL_GIVEN_UP => Some(retrying.once()),
            _ => self
                .asked
                .is_none_or(|asked| now.duration_since(asked) >= retrying.attempt)
                .then(|| retrying.once()),
        };
        if effort.is_some() {
            self.asked = Some(now);
        }
        effort
    }

    /// Takes in what became of a request. One that was refused was answered all the same.
    pub(super) fn note(&mut self, delivery: &Delivery) {
        self.failures_in_a_row =
            if delivery.failed > 0 { self.failures_in_a_row.saturating_add(1) } else { 0 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_is_given_up_asked_now_and_then_and_taken_back() {
        let retrying = Retrying::default();
        let failed = Delivery { failed: 1, ..Delivery::default() };
        let mut standing = Standing::default();
        let mut now = Instant::now();
        assert_eq!(standing.effort(retrying, now), Some(retrying));
        standing.note(&failed);
        for _ in 1..FAILURES_UNTIL_GIVEN_UP {
            assert_eq!(standing.effort(retrying, now), Some(retrying.once()));
            standing.note(&failed);
        }
        assert_eq!(standing.effort(retrying, now), None);
        now += retrying.attempt / 2;
        assert_eq!(standing.effort(retrying, now), None);
        now += retrying.attempt / 2;
        assert_eq!(standing.effort(retrying, now), Some(retrying.once()));
        assert_eq!(standing.effort(retrying, now), None);
        standing.note(&Delivery::default());
        assert_eq!(standing.effort(retrying, now), Some(retrying));
    }
}
