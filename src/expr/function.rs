//! The functions over time: one table of what each is called, takes and gives.

use std::time::Duration;

/// A function over time. It sees a point as a step function: a good reading holds until the next reading; the window
/// is `(t - d, t]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Function {
    /// The time-weighted mean.
    Avg,
    /// The least value.
    Min,
    /// The greatest value.
    Max,
    /// `p(t) - p(t - d)`
    Delta,
    /// The delta divided by the window's length in seconds.
    Rate,
    /// How often the value changed.
    Count,
    /// Whether the value has not changed for at least the window's length.
    Stuck,
    /// The time-weighted standard deviation.
    Stddev,
    /// `(p - avg) / stddev`; unknown where the deviation is 0.
    Zscore,
    /// The exponentially weighted mean with the window's length as time constant.
    Ewma,
    /// The value of the good reading before the last one.
    Previous,
    /// The time since the last good reading.
    Age,
}

/// What a function makes of its point's unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gives {
    /// A number in the point's unit.
    Same,
    /// A number in the point's unit per second.
    PerSecond,
    /// A pure number.
    Pure,
    /// True or false.
    Flag,
    /// What the point is.
    Kind,
    /// A duration.
    Duration,
}

/// How a function is written.
pub(super) struct Signature {
    pub name: &'static str,
    pub function: Function,
    pub has_window: bool,
    /// Whether only numbers make sense; otherwise bits, enums and texts serve as well.
    pub wants_number: bool,
    pub gives: Gives,
}

const fn row(
    name: &'static str,
    function: Function,
    has_window: bool,
    wants_number: bool,
    gives: Gives,
) -> Signature {
    Signature { name, function, has_window, wants_number, gives }
}

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

    /// What has to be remembered for it.
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

/// What is remembered of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MemoryKind {
    /// What it was in the last so much time.
    Window(Duration),
    /// Its smoothed value, with this time constant.
    Ewma(Duration),
    /// Its good reading before the last.
    Previous,
    /// When it was good last.
    Age {
        /// The age it is compared with.
        limit: Duration,
        /// Whether the comparison turns beyond the limit, not at it.
        is_beyond: bool,
    },
}

impl MemoryKind {
    /// From how far back readings count; of what is smoothed, what has faded to less than a hundredth.
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

/// What a program wants to be remembered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MemorySpec {
    /// The slot of its point in [`super::Program::operands`].
    pub operand: usize,
    /// The bit of it that counts.
    pub bit: Option<u8>,
    /// What.
    pub kind: MemoryKind,
}
