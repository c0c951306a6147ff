//! Calls: the exchanges of one invocation, retries included.

use rustc_hash::FxHashMap;
use spanproof_schemas::ledger::{Operation, Usage};

use crate::model::ExchangeFacts;
use crate::symbol::{Symbol, Symbols};

/// What an application asked once, with every attempt that the SDK made of it.
#[derive(Debug)]
pub struct Call<'a> {
    /// The attempts, by arrival; at least one.
    exchanges: Vec<&'a ExchangeFacts>,
}

/// How a call ended for the one who made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The answer arrived in full.
    Succeeded,
    /// It ended in an error; with the exception, where one was served.
    Failed(Option<Symbol>),
    /// It ended early, and not in what every client must take for an error: the client left, or a
    /// buffered answer was cut short.
    Left,
}

impl<'a> Call<'a> {
    /// The calls of a ledger, by arrival of their first attempt, and the place of each exchange's
    /// call among them. The exchanges come by arrival.
    pub(crate) fn group(exchanges: &'a [ExchangeFacts]) -> (Vec<Call<'a>>, Vec<usize>) {
        let mut calls: Vec<Call<'a>> = Vec::with_capacity(exchanges.len());
        let mut places = Vec::with_capacity(exchanges.len());
        let mut by_invocation: FxHashMap<&str, usize> = FxHashMap::default();
        for exchange in exchanges {
            let known = exchange
                .invocation_id
                .as_deref()
                .map(|invocation| *by_invocation.entry(invocation).or_insert(calls.len()));
            let place = known.unwrap_or(calls.len());
            match calls.get_mut(place) {
                Some(call) => call.exchanges.push(exchange),
                None => calls.push(Call { exchanges: vec![exchange] }),
            }
            places.push(place);
        }
        (calls, places)
    }

    /// Every attempt, by arrival.
    #[must_use]
    pub fn exchanges(&self) -> &[&'a ExchangeFacts] {
        &self.exchanges
    }

    /// The first attempt.
    #[must_use]
    pub fn first(&self) -> &'a ExchangeFacts {
        self.exchanges[0]
    }

    /// The last attempt, whose outcome is the call's.
    #[must_use]
    pub fn last(&self) -> &'a ExchangeFacts {
        self.exchanges[self.exchanges.len() - 1]
    }

    /// Tokens charged for all attempts.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let mut sum = Usage::default();
        for exchange in &self.exchanges {
            sum += exchange.usage;
        }
        sum
    }

    /// How the call ended.
    #[must_use]
    pub fn outcome(&self, symbols: &Symbols) -> Outcome {
        let last = self.last();
        // boto3 takes what came of a Converse answer for all of it, and its spans cannot know better.
        let broken = last.operation != Operation::Converse
            && symbols
                .option(last.fault)
                .is_some_and(|fault| fault.starts_with("cut") || fault.starts_with("bad-crc"));
        if last.exception.is_some() || last.status == 0 || last.status >= 400 {
            Outcome::Failed(last.exception)
        } else if last.delivered {
            Outcome::Succeeded
        } else if broken {
            Outcome::Failed(None)
        } else {
            Outcome::Left
        }
    }

    /// Whether the client was told the usage that was charged: the answer arrived in full, with
    /// the part that states usage.
    #[must_use]
    pub fn was_told_usage(&self, symbols: &Symbols) -> bool {
        let withheld =
            symbols.option(self.last().fault).is_some_and(|fault| fault.starts_with("no-metadata"));
        self.outcome(symbols) == Outcome::Succeeded && !withheld
    }
}
