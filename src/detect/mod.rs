//! Is a condition true: staleness, delays, hysteresis, codes, silence.
//!
//! *Must not know* people or acknowledgement; it never asks for the time. Everything due is ended in time
//! order before an input is looked at; extra calls of [`Detector::elapsed`] change nothing (test:
//! `extra_elapsed_changes_nothing`). A delay that is due at the instant of a reading ends before that reading counts.
//! State comes back from readings; alarms that stood are told by [`Detector::restore_active`].

mod aging;
mod baseline;
mod baselines;
mod cell;
mod detector;
mod explain;
mod reload;
mod remembered;
mod replay;
mod shared;
mod state;
mod suggest;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod unanswered;
mod warm;

pub use baseline::{LongerScale, Model};
pub use baselines::BaselineEvent;
pub use cell::Tally;
pub use detector::Detector;
pub use explain::{FaultExplanation, OperandExplanation, PointState};
pub use replay::{Column, Replay, Replayed};
pub use state::{Transition, TransitionKind};
pub use suggest::{Proposal, Seen, suggest};
pub use warm::{Recorded, reach};
