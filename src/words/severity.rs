//! Severities of faults. EN 13306 and ISA-18.2 let each plant define its own classes; andon has four.

use std::fmt;

use super::worded;

worded! {
    /// The severity of a fault. The order is from the worst to the least.
    #[derive(PartialOrd, Ord)]
    pub enum Severity {
        /// Danger to people, product or machine. Act now.
        Critical = "critical",
        /// The equipment cannot do its work. Act in this shift.
        Major = "major",
        /// The equipment works with a limitation. Plan the work.
        Minor = "minor",
        /// Useful information. No ticket, unless the profile asks for one.
        Advisory = "advisory",
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
