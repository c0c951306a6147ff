//! A maker of which tests say what it does.

use tokio::sync::OwnedSemaphorePermit;

use super::driving::{Driver, Maker};
use super::*;
use crate::statistics::Admitted;

/// What a maker is asked for.
pub(super) enum Asked {
    /// To make this.
    Make(Admitted),
    /// To let everything leave, since a call waits for room or the run ends.
    Flush,
}

/// A maker of which all that it makes stays open while its permit is among those that its closure is
/// given.
pub(super) struct Told<F> {
    does: F,
    open: Vec<OwnedSemaphorePermit>,
    has_room: bool,
}

pub(super) type Permits = Vec<OwnedSemaphorePermit>;

pub(super) fn told<F: AsyncFnMut(Asked, &mut Permits)>(has_room: bool, does: F) -> Told<F> {
    Told { does, open: Vec::new(), has_room }
}

impl<F: AsyncFnMut(Asked, &mut Permits)> Maker for Told<F> {
    fn has_room(&self) -> bool {
        self.has_room
    }

    async fn make(&mut self, admitted: Admitted, permit: OwnedSemaphorePermit) {
        self.open.push(permit);
        (self.does)(Asked::Make(admitted), &mut self.open).await;
    }

    fn leaves_at(&self) -> Option<UnixNanos> {
        None
    }

    async fn flush(&mut self) {
        (self.does)(Asked::Flush, &mut self.open).await;
    }
}

/// What a run of so many calls comes to that `maker` makes.
pub(super) async fn made<F>(config: LoadConfig, calls: u64, mut maker: Told<F>) -> Load
where
    F: AsyncFnMut(Asked, &mut Permits) + Send + 'static,
{
    let plan = Arc::new(plan(calls));
    let run = driving::Run::new(config, &plan);
    let work = async move |driver: Driver<'_>| driver.make_all(&mut maker).await;
    run.drive(&plan, work, |_| ()).await;
    load(&run.outcome(String::new(), None, None, false))
}
