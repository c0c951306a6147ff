//! Calls, made by a client.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::driving::{Maker, Run};
use crate::client::Client;
use crate::plan::Plan;
use crate::statistics::{Admitted, Expected};

/// Makes calls, each in a task of its own.
pub(super) struct Calls<C> {
    run: Arc<Run>,
    plan: Arc<Plan>,
    client: Arc<C>,
}

impl<C: Client> Calls<C> {
    pub(super) fn new(run: &Arc<Run>, plan: Arc<Plan>, client: &Arc<C>) -> Calls<C> {
        Calls { run: Arc::clone(run), plan, client: Arc::clone(client) }
    }
}

impl<C: Client> Maker for Calls<C> {
    fn has_room(&self) -> bool {
        true
    }

    async fn make(&mut self, admitted: Admitted, permit: OwnedSemaphorePermit) {
        let Calls { run, plan, client } = self;
        let (run, plan, client) = (Arc::clone(run), Arc::clone(plan), Arc::clone(client));
        tokio::spawn(async move {
            make_call(&run, &plan, &*client, &admitted).await;
            drop(permit);
        });
    }

    fn leaves_at(&self) -> Option<Instant> {
        None
    }

    async fn flush(&mut self) {}
}

async fn make_call(run: &Run, plan: &Plan, client: &impl Client, admitted: &Admitted) {
    let number = admitted.due.event.call;
    let call = plan.call(number);
    let expected = Expected::of(&call);
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
