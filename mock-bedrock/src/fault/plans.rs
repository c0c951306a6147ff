//! The fault plans in force, and what they have struck so far.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::RngExt as _;
use spanproof_schemas::glob;

use super::{Attempts, Fault, FaultPlan, FaultPlanError, FaultRule, Setting, named};
use crate::draw::{self, Fold, Purpose};

/// The most calls that a rule remembers, to know a retry again.
const REMEMBERED_CALLS: usize = 4_096;
/// The most tests that are counted apart. Beyond it the counts of all begin anew: tests name
/// themselves, and a load of unique names must not grow memory without end.
const COUNTED_TESTS: usize = 10_000;

/// A request, as plans look at it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Occasion<'a> {
    pub(crate) setting: Setting<'a>,
    /// The base id of the model, if there is one.
    pub(crate) model: Option<&'a str>,
    pub(crate) test: Option<&'a str>,
    pub(crate) invocation_id: Option<&'a str>,
    pub(crate) attempt: u32,
    pub(crate) prompt: &'a str,
}

/// The plans: one for every request, and those of tests, which stand in its place.
#[derive(Debug)]
pub(crate) struct FaultPlans {
    seed: u64,
    /// Whether there is any, which most servers need not lock to know.
    is_planned: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    common: Arc<FaultPlan>,
    tests: HashMap<String, Arc<FaultPlan>>,
    /// What happened to each test's requests; those without a test share one count.
    tallies: HashMap<Option<String>, Vec<Tally>>,
}

/// What one rule has seen of one test.
#[derive(Clone, Debug, Default)]
struct Tally {
    calls: u64,
    /// The numbers of the latest calls, by what tells a call from another.
    numbers: HashMap<u64, u64>,
    order: VecDeque<u64>,
    strikes: u64,
}

impl FaultPlans {
    /// `common` is for requests of no test, and of tests without a plan.
    pub(crate) fn new(seed: u64, common: FaultPlan) -> Self {
        let is_planned = AtomicBool::new(!common.rules.is_empty());
        let state = State { common: Arc::new(common), ..State::default() };
        FaultPlans { seed, is_planned, state: Mutex::new(state) }
    }

    /// The plan in force for a test, its own or else the common one; with `None` the common one.
    pub(crate) fn get(&self, test: Option<&str>) -> FaultPlan {
        let state = self.lock();
        let own = test.and_then(|test| state.tests.get(test));
        FaultPlan::clone(own.unwrap_or(&state.common))
    }

    /// Puts a plan in force, and counts anew. A test's plan stands in place of the common one, also
    /// when it has no rules.
    ///
    /// # Errors
    ///
    /// As [`FaultPlan::validate`]; the plan in force then stays.
    pub(crate) fn set(&self, test: Option<&str>, plan: FaultPlan) -> Result<(), FaultPlanError> {
        plan.validate()?;
        let mut state = self.lock();
        let plan = Arc::new(plan);
        match test {
            None => state.common = plan,
            Some(test) => drop(state.tests.insert(test.to_owned(), plan)),
        }
        self.changed(&mut state, test);
        Ok(())
    }

    /// Takes a plan out of force.
    pub(crate) fn clear(&self, test: Option<&str>) {
        let mut state = self.lock();
        match test {
            None => state.common = Arc::default(),
            Some(test) => drop(state.tests.remove(test)),
        }
        self.changed(&mut state, test);
    }

    /// Takes the plan of a test out of force and forgets what it struck; or does so for all tests
    /// if none is named, and puts `common` in force anew.
    pub(crate) fn reset(&self, test: Option<&str>, common: &FaultPlan) {
        if test.is_some() {
            return self.clear(test);
        }
        let mut state = self.lock();
        *state = State { common: Arc::new(common.clone()), ..State::default() };
        self.changed(&mut state, None);
    }

    /// Whether any plan is in force.
    pub(crate) fn is_planned(&self) -> bool {
        self.is_planned.load(Ordering::Relaxed)
    }

    /// The fault that strikes, if any does.
    pub(crate) fn strike(&self, occasion: Occasion<'_>) -> Option<Fault> {
        if !self.is_planned() {
            return None;
        }
        let mut state = self.lock();
        let test = occasion.test.map(str::to_owned);
        let own = occasion.test.and_then(|test| state.tests.get(test));
        let plan = Arc::clone(own.unwrap_or(&state.common));
        if plan.rules.is_empty() {
            return None;
        }
        if state.tallies.len() >= COUNTED_TESTS && !state.tallies.contains_key(&test) {
            state.tallies.clear();
        }
        let tallies = state.tallies.entry(test).or_default();
        tallies.resize_with(plan.rules.len(), Tally::default);
        let call = call_key(&occasion);
        let mut struck = None;
        // Every rule counts the calls that it matches, also those that another strikes.
        for ((index, rule), tally) in plan.rules.iter().enumerate().zip(tallies) {
            let Some(fault) = matching(rule, &occasion) else { continue };
            let number = tally.number(call, occasion.attempt);
            let is_spent = rule.times.is_some_and(|times| tally.strikes >= times);
            if struck.is_none()
                && !is_spent
                && is_struck_attempt(rule, occasion.attempt)
                && rule.call.is_none_or(|calls| calls.contains(number))
                && self.is_drawn(rule, index, number)
            {
                tally.strikes += 1;
                struck = Some(fault);
            }
        }
        struck
    }

    fn is_drawn(&self, rule: &FaultRule, index: usize, number: u64) -> bool {
        let Some(rate) = rule.rate else { return true };
        let mut key = Fold::new(self.seed);
        key.word(index as u64);
        key.word(number);
        draw::generator(key.finish(), Purpose::Fault).random_bool(rate.clamp(0.0, 1.0))
    }

    /// Forgets what was counted under another plan.
    fn changed(&self, state: &mut State, test: Option<&str>) {
        if let Some(test) = test {
            state.tallies.remove(&Some(test.to_owned()));
        } else {
            let State { tests, tallies, .. } = state;
            tallies.retain(|test, _| test.as_ref().is_some_and(|test| tests.contains_key(test)));
        }
        let is_planned = !state.common.rules.is_empty() || !state.tests.is_empty();
        self.is_planned.store(is_planned, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tally {
    /// The number of the call that a request belongs to, from 1.
    fn number(&mut self, call: CallKey, attempt: u32) -> u64 {
        // Without an id, a first attempt is a call of its own, however often it was asked before.
        let is_known = call.is_id || attempt > 1;
        if let Some(number) = self.numbers.get(&call.key).filter(|_| is_known) {
            return *number;
        }
        self.calls += 1;
        if self.numbers.insert(call.key, self.calls).is_none() {
            self.order.push_back(call.key);
            if self.order.len() > REMEMBERED_CALLS
                && let Some(oldest) = self.order.pop_front()
            {
                self.numbers.remove(&oldest);
            }
        }
        self.calls
    }
}

/// What tells a call from another.
#[derive(Clone, Copy, Debug)]
struct CallKey {
    key: u64,
    /// Whether the client gave the call an id; else the key is that of what was asked.
    is_id: bool,
}

fn call_key(occasion: &Occasion<'_>) -> CallKey {
    let mut key = Fold::new(0);
    if let Some(id) = occasion.invocation_id {
        key.bytes(id.as_bytes());
    } else {
        key.bytes(occasion.setting.operation.name().as_bytes());
        key.bytes(occasion.setting.model_id.as_bytes());
        key.bytes(occasion.prompt.as_bytes());
    }
    CallKey { key: key.finish(), is_id: occasion.invocation_id.is_some() }
}

/// The fault of `rule`, if the request meets its conditions and the fault fits the request.
fn matching(rule: &FaultRule, occasion: &Occasion<'_>) -> Option<Fault> {
    let setting = occasion.setting;
    let fits_model = |pattern: &String| {
        occasion.model.is_some_and(|model| glob::fits(pattern, model))
            || (!setting.model_id.is_empty() && glob::fits(pattern, setting.model_id))
    };
    let is_met = rule.model.as_ref().is_none_or(fits_model)
        && rule.operation.is_none_or(|operation| operation == setting.operation)
        && rule.invocation_id.as_deref().is_none_or(|id| occasion.invocation_id == Some(id))
        && rule.prompt.as_ref().is_none_or(|text| occasion.prompt.contains(text.as_str()))
        && rule.test.as_deref().is_none_or(|test| occasion.test == Some(test));
    if !is_met {
        return None;
    }
    let (name, _) = Attempts::split(&rule.fault).ok()?;
    let fault = named::read(name, setting).ok()?;
    Some(Fault { is_planned: true, ..fault })
}

fn is_struck_attempt(rule: &FaultRule, attempt: u32) -> bool {
    let named =
        Attempts::split(&rule.fault).map_or_else(|_| Attempts::default(), |(_, named)| named);
    named.contains(attempt) && rule.attempts.is_none_or(|attempts| attempts.contains(attempt))
}

#[cfg(test)]
mod tests;
