//! What became of the telemetry that a client made.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// What became of the items of one signal, such as spans, that a client created.
///
/// When the client has finished, `created = exported + rejected + dropped + failed`: each item is in
/// one of the four, and [`Accounting::imbalance`] is 0. `retried` and `unanswered` count attempts,
/// not items, and stand beside the equation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accounting {
    /// Items that ended, and so were to be exported.
    pub created: u64,
    /// Items that the receiver said it took.
    pub exported: u64,
    /// Items that the receiver said it does not take: with a status that no retry mends, or as the
    /// rest of a partial success.
    pub rejected: u64,
    /// Items that were left out without an attempt: no room, or a receiver given up before.
    pub dropped: u64,
    /// Items whose attempts all failed, the last included: throttled, unreachable or unanswered
    /// until the time for it was over.
    pub failed: u64,
    /// Items sent again, counted each time.
    pub retried: u64,
    /// Items of attempts that got no answer, counted each time. A receiver may have taken them and
    /// told nobody, so that it has up to so many more than `exported`.
    pub unanswered: u64,
}

impl Accounting {
    /// Items that no receiver took, as far as the client knows.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.rejected.saturating_add(self.dropped).saturating_add(self.failed)
    }

    /// Items created minus items accounted for: 0 once the client has finished, unless its books
    /// are wrong.
    #[must_use]
    pub fn imbalance(&self) -> i128 {
        let accounted = [self.exported, self.rejected, self.dropped, self.failed];
        i128::from(self.created) - accounted.into_iter().map(i128::from).sum::<i128>()
    }

    /// What is wrong with these books beside those of a receiver that took `received` items of them,
    /// if anything is.
    #[must_use]
    pub fn mismatch(&self, received: u64) -> Option<Mismatch> {
        let imbalance = self.imbalance();
        if imbalance != 0 {
            return Some(Mismatch::Unbalanced { imbalance });
        }
        let most = self.exported.saturating_add(self.unanswered);
        if received < self.exported {
            return Some(Mismatch::Missing { exported: self.exported, received });
        }
        (received > most).then_some(Mismatch::Surplus { at_most: most, received })
    }
}

impl AddAssign for Accounting {
    fn add_assign(&mut self, other: Self) {
        let pairs = [
            (&mut self.created, other.created),
            (&mut self.exported, other.exported),
            (&mut self.rejected, other.rejected),
            (&mut self.dropped, other.dropped),
            (&mut self.failed, other.failed),
            (&mut self.retried, other.retried),
            (&mut self.unanswered, other.unanswered),
        ];
        for (sum, more) in pairs {
            *sum = sum.saturating_add(more);
        }
    }
}

/// How the books of a client and of a receiver differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The client's own do not add up.
    #[error(
        "the client created {imbalance:+} items beside those exported, rejected, dropped and failed"
    )]
    Unbalanced {
        /// Created minus accounted for.
        imbalance: i128,
    },
    /// The receiver has fewer than were acknowledged.
    #[error("{exported} items were acknowledged, but only {received} arrived")]
    Missing {
        /// What the client was told.
        exported: u64,
        /// What the receiver has.
        received: u64,
    },
    /// The receiver has more than were sent, even if every unanswered attempt arrived.
    #[error("{received} items arrived, of which at most {at_most} were sent")]
    Surplus {
        /// Acknowledged and unanswered.
        at_most: u64,
        /// What the receiver has.
        received: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: Accounting = Accounting {
        created: 100,
        exported: 80,
        rejected: 5,
        dropped: 7,
        failed: 8,
        retried: 30,
        unanswered: 10,
    };

    #[test]
    fn a_receiver_may_have_what_it_acknowledged_and_what_it_never_answered() {
        assert_eq!(WHOLE.lost(), 20);
        for received in [80, 85, 90] {
            assert_eq!(WHOLE.mismatch(received), None);
        }
    }

    #[test]
    fn books_that_differ_say_how() {
        let leaky = Accounting { created: 103, ..WHOLE };
        let doubled = Accounting { exported: 81, ..WHOLE };
        let said = |books: Accounting, received| books.mismatch(received).unwrap().to_string();
        assert_eq!(said(WHOLE, 79), "80 items were acknowledged, but only 79 arrived");
        assert_eq!(said(WHOLE, 91), "91 items arrived, of which at most 90 were sent");
        assert!(said(leaky, 80).contains("+3"));
        assert!(said(doubled, 81).contains("-1"));
    }

    #[test]
    fn parts_add_up() {
        let mut sum = Accounting::default();
        sum += WHOLE;
        sum += WHOLE;
        assert_eq!((sum.created, sum.lost(), sum.imbalance()), (200, 40, 0));
    }
}
