//! Calls, made by a client.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use spanproof_schemas::time::UnixNanos;
use spanproof_schemas::worker::Call;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{Receiver, channel};

use super::driving::{Maker, Run};
use crate::client::Client;
use crate::plan::Plan;
use crate::statistics::{Admitted, Expected};
use crate::threads::stand_back;

/// How many calls are written before they are due. Prompts may have a hundred thousand words.
const AHEAD: usize = 64;

/// Makes calls, each in a task of its own.
pub(super) struct Calls<C> {
    run: Arc<Run>,
    plan: Arc<Plan>,
    client: Arc<C>,
    ahead: Ahead,
}

impl<C: Client> Calls<C> {
    pub(super) fn new(run: &Arc<Run>, plan: Arc<Plan>, client: &Arc<C>) -> Calls<C> {
        let ahead = Ahead::start(Arc::clone(&plan));
        Calls { run: Arc::clone(run), plan, client: Arc::clone(client), ahead }
    }
}

impl<C: Client> Maker for Calls<C> {
    fn has_room(&self) -> bool {
        true
    }

    async fn make(&mut self, admitted: Admitted, permit: OwnedSemaphorePermit) {
        let written = self.ahead.take(admitted.due.event.call);
        let Calls { run, plan, client, .. } = self;
        let (run, plan, client) = (Arc::clone(run), Arc::clone(plan), Arc::clone(client));
        tokio::spawn(async move {
            let call = written.unwrap_or_else(|| plan.call(&admitted.due.event));
            let expected = Expected::of(&call, plan.feature(&admitted.due.event));
            make_call(&run, &*client, call, expected, &admitted).await;
            drop(permit);
        });
    }

    fn leaves_at(&self) -> Option<UnixNanos> {
        None
    }

    async fn flush(&mut self) {}
}

async fn make_call(
    run: &Run,
    client: &impl Client,
    call: Call,
    expected: Expected,
    admitted: &Admitted,
) {
    let number = call.call;
    // A call that is given up is counted as such at the end.
    let Some(ended) = run.config.abandon.run_until_cancelled(client.call(call)).await else {
        return;
    };
    match ended {
        Ok(done) => run.statistics().ended(&expected, admitted, &done),
        Err(error) => {
            run.statistics().failed(format!("call {number}: {error}"));
            run.breaks(error);
        }
    }
}

/// Calls that a thread writes before they are due, so that what it takes to write their prompts is no
/// part of their lag.
struct Ahead {
    written: Receiver<Call>,
    /// The one that was taken last, where it is not due yet.
    next: Option<Call>,
    /// The last that was asked for: writing an earlier one is no use.
    asked: Arc<AtomicU64>,
}

impl Ahead {
    /// Without a thread every call is written when it is due.
    fn start(plan: Arc<Plan>) -> Ahead {
        let (calls, written) = channel(AHEAD);
        let asked = Arc::new(AtomicU64::new(0));
        let latest = Arc::clone(&asked);
        let thread = thread::Builder::new().name("prompts".to_owned());
        let _ = thread.spawn(move || {
            stand_back();
            for planned in plan.planned() {
                if planned.call < latest.load(Ordering::Relaxed) {
                    continue;
                }
                if calls.blocking_send(plan.call(&planned)).is_err() {
                    return;
                }
            }
        });
        Ahead { written, next: None, asked }
    }

    /// Call `number`, if it has been written. Calls are asked for in the order of the plan, and those
    /// that are never asked for were left out.
    fn take(&mut self, number: u64) -> Option<Call> {
        self.asked.store(number, Ordering::Relaxed);
        loop {
            let next = self.next.take().or_else(|| self.written.try_recv().ok())?;
            if next.call == number {
                return Some(next);
            }
            if next.call > number {
                self.next = Some(next);
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{AtRate, Capabilities, PlanConfig, Scenario, Shard, Timing};

    #[test]
    fn what_is_written_ahead_is_what_is_asked_for_whatever_was_left_out() {
        let plan = Plan::new(PlanConfig {
            scenario: Scenario::named("chat").unwrap(),
            capabilities: Capabilities::all(),
            seed: 1,
            timing: Timing::AtRate(AtRate::even(
                "80000/day".parse().unwrap(),
                Duration::from_hours(24),
            )),
            most_calls: Some(300),
            shard: Shard::WHOLE,
        });
        let plan = Arc::new(plan.unwrap());
        let planned: Vec<_> = plan.planned().collect();
        let mut ahead = Ahead::start(Arc::clone(&plan));
        let mut written = 0;
        for number in (0..300).filter(|number| number % 3 != 1) {
            if number == 150 {
                // Whatever the thread is up to, something has been written by now.
                ahead.next = ahead.next.take().or_else(|| ahead.written.blocking_recv());
            }
            if let Some(call) = ahead.take(number) {
                assert_eq!(call, plan.call(&planned[usize::try_from(number).unwrap()]));
                written += 1;
            }
        }
        assert!(ahead.take(300).is_none());
        assert!(written <= 200, "{written}");
    }

    #[test]
    fn what_is_written_before_its_time_is_kept_until_then() {
        let (calls, written) = channel(AHEAD);
        let mut ahead = Ahead { written, next: None, asked: Arc::default() };
        let call = Call {
            call: 5,
            operation: spanproof_schemas::worker::Operation::Converse,
            model_id: "amazon.nova-lite-v1:0".to_owned(),
            request: serde_json::json!({}),
            headers: Vec::new(),
        };
        calls.try_send(call.clone()).unwrap();
        assert_eq!((ahead.take(3), ahead.take(4)), (None, None));
        assert_eq!(ahead.take(5), Some(call));
    }
}
