//! Calls that come due while the thread that paces waits for something else.

use super::made::{Asked, made, told};
use super::*;
use crate::clock::tests::Manual;

const HOUR_NANOS: u64 = 3_600_000_000_000;

/// A run in real time by a clock that stands still, and the clock. Of its calls, one every 1.08 s, the
/// first two are due, and none is made that is overdue by more than a second and a half.
fn standing_still() -> (Arc<Manual>, LoadConfig) {
    let source = Arc::new(Manual::default());
    source.wall_unix_nanos.store(10 * HOUR_NANOS, Ordering::SeqCst);
    let config = LoadConfig {
        clock: Clock::of(source.clone()),
        catch_up: CatchUp::Window(Duration::from_millis(1_500)),
        start_at: Some(10 * HOUR_NANOS - 1_100_000_000),
        ..LoadConfig::new(Speed::REAL)
    };
    (source, config)
}

#[tokio::test]
async fn calls_that_come_due_while_one_waits_for_room_are_made_however_long_it_waits() {
    let (source, config) = standing_still();
    let clock = config.clock.clone();
    let maker = told(true, async move |asked, open: &mut Vec<_>| match asked {
        Asked::Make(admitted) => assert_eq!(admitted.at, clock.now(), "its wait is lag"),
        // What is open ends an hour after the next call has come to wait for it.
        Asked::Flush => {
            source.monotonic_nanos.fetch_add(HOUR_NANOS, Ordering::SeqCst);
            open.clear();
        }
    });
    let load = made(LoadConfig { in_flight: 1, ..config }, 50, maker).await;
    assert_eq!((load.started, load.skipped), (50, 0));
}

#[tokio::test]
async fn calls_that_come_due_while_one_is_made_are_made_where_that_waits_for_room() {
    for (has_room, started, skipped) in [(false, 50, 0), (true, 2, 48)] {
        let (source, config) = standing_still();
        let maker = told(has_room, async move |asked, open: &mut Vec<_>| {
            open.clear();
            if let Asked::Make(_) = asked {
                source.monotonic_nanos.fetch_add(HOUR_NANOS, Ordering::SeqCst);
            }
        });
        let load = made(config, 50, maker).await;
        assert_eq!((load.started, load.skipped), (started, skipped), "{has_room}");
        // A call that is left out was due all the same.
        assert_eq!(load.minutes.iter().map(|minute| minute.planned).sum::<u64>(), 50);
    }
}
