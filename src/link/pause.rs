//! Pauses that are exact to less than a millisecond. The timers of the async runtime count whole milliseconds: a
//! silence of 1.75 ms on a serial line would last 3 ms, and a fast line would lose a tenth of its throughput.

use std::time::Duration;

/// Pauses longer than this use the timer of the runtime.
const COARSE: Duration = Duration::from_millis(20);

/// Waits for `time`. A short pause sleeps in another thread, so it is exact and does not block the runtime's thread.
pub(super) async fn pause(time: Duration) {
    if time.is_zero() {
        return;
    }
    if time > COARSE {
        tokio::time::sleep(time).await;
        return;
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "the sleep is in another thread, because the runtime's timers are too coarse"
    )]
    let slept = tokio::task::spawn_blocking(move || std::thread::sleep(time)).await;
    if slept.is_err() {
        // The runtime is stopping, so no task uses the exact time any more.
        tokio::time::sleep(time).await;
    }
}
