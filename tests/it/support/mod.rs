//! Tools for the tests: a gateway for each test, servers and clients of other authors, and waiting with a time limit.

mod gateway;
pub mod manner;
pub mod misbehaving;
mod paced;
mod peer;
mod sim;

pub use gateway::Gateway;
pub use paced::Paced;
pub use peer::{LibmodbusServer, Mosquitto, PtyPair, PymodbusServer, SparkplugNode, free_port};
pub use sim::Sim;

use std::time::Duration;

/// Repeats `look` until it succeeds. Fails after a time limit, with the last error.
#[track_caller]
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    const LOOKS: u32 = 600;
    let mut last = String::new();
    for _ in 0..LOOKS {
        match look() {
            Ok(found) => return found,
            Err(seen) => last = seen,
        }
        pause(Duration::from_millis(50));
    }
    panic!("{what}: not within 30 s; last seen: {last}");
}

/// Runs a function that must not take longer than the time limit.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "real processes have no virtual clock")]
pub fn within<T>(longest: Duration, what: &str, work: impl FnOnce() -> T) -> T {
    let begun = std::time::Instant::now();
    let done = work();
    let taken = begun.elapsed();
    assert!(taken < longest, "{what}: {taken:?}");
    done
}

/// Waits, so that another process can work.
#[expect(clippy::disallowed_methods, reason = "real processes have no virtual clock")]
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}
