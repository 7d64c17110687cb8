//! The daemon's log: one line an occurrence on standard error, with time and level.

use std::io::Write;

use crate::ambient::Clock;
use crate::words::shown;

/// Where a daemon tells what happens to itself; cheap to clone.
#[derive(Debug, Clone, Copy)]
pub struct Log {
    clock: Clock,
    is_quiet: bool,
}

impl Log {
    /// A log on standard error.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, is_quiet: false }
    }

    /// A log that tells warnings and errors only.
    #[must_use]
    pub fn quiet(clock: Clock) -> Self {
        Self { clock, is_quiet: true }
    }

    /// Something worth knowing.
    pub fn info(self, text: &str) {
        if !self.is_quiet {
            self.line("info", text);
        }
    }

    /// Something somebody should look at.
    pub fn warn(self, text: &str) {
        self.line("warning", text);
    }

    /// Something that failed.
    pub fn error(self, text: &str) {
        self.line("error", text);
    }

    fn line(self, level: &str, text: &str) {
        let now = self.clock.now().wall;
        // A log that cannot be written must not stop the daemon.
        let _written = writeln!(std::io::stderr().lock(), "{now} {level} {}", shown(text));
    }
}
