//! The functions over time, in one table: their names, their arguments and their results.

use std::time::Duration;

/// A function over time. The value of a point holds from one good reading to the next, so a point is a step function
/// of time. The window is the time `(t - d, t]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Function {
    /// The mean, weighted by time.
    Avg,
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
    /// The change over the window: `p(t) - p(t - d)`.
    Delta,
    /// The change over the window, divided by the length of the window in seconds.
    Rate,
    /// The number of changes of the value.
    Count,
    /// True if the value has not changed for at least the length of the window.
    Stuck,
    /// The standard deviation, weighted by time.
    Stddev,
    /// The deviation of the value from the mean: `(p - avg) / stddev`; unknown if the standard deviation is 0.
    Zscore,
    /// The exponentially weighted mean. The time constant is the length of the window.
    Ewma,
    /// The value of the second last good reading.
    Previous,
    /// The time since the last good reading.
    Age,
}

/// The result of a function, in relation to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gives {
    /// A number in the unit of the point.
    Same,
    /// A number in the unit of the point per second.
    PerSecond,
    /// A pure number.
    Pure,
    /// The value true or false.
    Flag,
    /// The same type as the point.
    Kind,
    /// A duration, in nanoseconds.
    Duration,
}

/// The name, the arguments and the result of a function.
pub(super) struct Signature {
    pub name: &'static str,
    pub function: Function,
    pub has_window: bool,
    /// True if the point must be a number. False if the point can also be bits, an enum or a text.
    pub wants_number: bool,
    pub gives: Gives,
}

/// Makes a row of [`FUNCTIONS`].
const fn row(
    name: &'static str,
    function: Function,
    has_window: bool,
    wants_number: bool,
    gives: Gives,
) -> Signature {
    Signature { name, function, has_window, wants_number, gives }
}

/// All functions over time.
pub(super) const FUNCTIONS: [Signature; 12] = [
    row("avg", Function::Avg, true, true, Gives::Same),
    row("min", Function::Min, true, true, Gives::Same),
    row("max", Function::Max, true, true, Gives::Same),
    row("delta", Function::Delta, true, true, Gives::Same),
    row("rate", Function::Rate, true, true, Gives::PerSecond),
    row("count", Function::Count, true, false, Gives::Pure),
    row("stuck", Function::Stuck, true, false, Gives::Flag),
    row("stddev", Function::Stddev, true, true, Gives::Same),
    row("zscore", Function::Zscore, true, true, Gives::Pure),
    row("ewma", Function::Ewma, true, true, Gives::Same),
    row("previous", Function::Previous, false, false, Gives::Kind),
    row("age", Function::Age, false, false, Gives::Duration),
];

impl Function {
    pub(super) fn signature(self) -> &'static Signature {
        FUNCTIONS.iter().find(|s| s.function == self).unwrap_or(&FUNCTIONS[0])
    }

    /// Returns the memory that the function needs.
    pub(super) fn memory(self, window: Option<Duration>) -> MemoryKind {
        let d = window.unwrap_or_default();
        match self {
            Function::Ewma => MemoryKind::Ewma(d),
            Function::Previous => MemoryKind::Previous,
            Function::Age => MemoryKind::Age { limit: d, is_beyond: false },
            Function::Avg
            | Function::Min
            | Function::Max
            | Function::Delta
            | Function::Rate
            | Function::Count
            | Function::Stuck
            | Function::Stddev
            | Function::Zscore => MemoryKind::Window(d),
        }
    }
}

/// The values of a point that a function over time needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MemoryKind {
    /// All values within the last period of this length.
    Window(Duration),
    /// The smoothed value, with this time constant.
    Ewma(Duration),
    /// The second last good value.
    Previous,
    /// The time of the last good reading.
    Age {
        /// The age with which the condition compares.
        limit: Duration,
        /// True if the result changes after the limit (`>`, `<=`); false if it changes at the limit (`>=`, `<`).
        is_beyond: bool,
    },
}

impl MemoryKind {
    /// Returns how far back readings have an effect. Of a smoothed value, older readings count for less than one
    /// hundredth.
    #[must_use]
    pub fn reach(self) -> Duration {
        match self {
            MemoryKind::Window(d) => d,
            MemoryKind::Ewma(d) => d * 5,
            MemoryKind::Age { limit, .. } => limit,
            MemoryKind::Previous => Duration::ZERO,
        }
    }
}

/// A memory that a program needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MemorySpec {
    /// The position of the point in [`super::Program::operands`].
    pub operand: usize,
    /// The bit of the point that counts, from 0; `None` for the whole value.
    pub bit: Option<u8>,
    /// The kind of the memory.
    pub kind: MemoryKind,
}
