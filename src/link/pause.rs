//! Pauses finer than the runtime's timers, which count whole milliseconds: a silence of 1.75 ms on a serial line
//! would become three, and a fast line lose a tenth of its rate.

use std::time::Duration;

/// Pauses longer than this are left to the runtime.
const COARSE: Duration = Duration::from_millis(20);

/// Waits for a time, short ones exactly, without holding up the runtime's thread.
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
        reason = "in a thread of its own; the runtime's timers are too coarse"
    )]
    let slept = tokio::task::spawn_blocking(move || std::thread::sleep(time)).await;
    if slept.is_err() {
        // The runtime is ending: nobody waits any more.
        tokio::time::sleep(time).await;
    }
}
