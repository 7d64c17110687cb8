//! What the tests stand on: a gateway of their own, counterparts, and waiting with a deadline.

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

/// Looks until something is so; fails after a deadline with what was last seen.
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

/// Does something that must not take longer than this.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "real processes have no virtual clock")]
pub fn within<T>(longest: Duration, what: &str, work: impl FnOnce() -> T) -> T {
    let begun = std::time::Instant::now();
    let done = work();
    let taken = begun.elapsed();
    assert!(taken < longest, "{what}: {taken:?}");
    done
}

/// Lets another process work.
#[expect(clippy::disallowed_methods, reason = "real processes have no virtual clock")]
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}
