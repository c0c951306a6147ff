//! A closed loop over many connections, and what one process did meanwhile.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::task::{JoinSet, LocalSet};
use tokio::time::sleep;

use super::client::{Connection, Request};
use super::{CONNECTIONS, Operation};
use crate::dev::process::Process;

/// Before anything is counted: connections open, and the server's caches and compilers warm up.
const WARM_UP: Duration = Duration::from_secs(1);

/// What was seen in one measurement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    pub(super) requests_per_second: f64,
    /// Of the server's processor time.
    pub(super) cpu_us_per_request: f64,
}

/// Drives the server with `operation` for the warm-up and then for `measured`.
pub(super) async fn measure(
    process: &Process,
    operation: Operation,
    measured: Duration,
) -> Result<Load> {
    let completed = Rc::new(Cell::new(0_u32));
    LocalSet::new()
        .run_until(async {
            let mut drivers = JoinSet::new();
            for number in 0..CONNECTIONS {
                let connection = Connection::new(process.address);
                let request = Request::new(process.address, operation, number);
                drivers.spawn_local(drive(connection, request, Rc::clone(&completed)));
            }
            sleep(WARM_UP).await;
            let (before, started) = (completed.get(), Instant::now());
            let processor_before = process.processor_seconds()?;
            sleep(measured).await;
            let requests = f64::from(completed.get() - before);
            let seconds = started.elapsed().as_secs_f64();
            let processor = process.processor_seconds()? - processor_before;
            drivers.abort_all();
            while let Some(ended) = drivers.join_next().await {
                // Those that were aborted have nothing to say.
                if let Ok(failed) = ended {
                    failed?;
                }
            }
            ensure!(requests > 0.0, "it completed no request in {measured:?}");
            Ok(Load {
                requests_per_second: requests / seconds,
                cpu_us_per_request: processor / requests * 1e6,
            })
        })
        .await
}

/// Sends the same request again and again, each time waiting for the end of the answer.
async fn drive(
    mut connection: Connection,
    request: Request,
    completed: Rc<Cell<u32>>,
) -> Result<()> {
    loop {
        let status = connection.exchange(&request).await?;
        ensure!(status == 200, "it answered with {status} under load");
        completed.set(completed.get() + 1);
    }
}
