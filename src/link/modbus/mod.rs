//! Modbus TCP, RTU, RTU over TCP, and ASCII.
//!
//! `plan` groups registers into requests, and `schedule` chooses the next request. `wire` sends it, `guard` passes
//! only the matching response, and `task` connects these parts. `asked` holds the requests of people, and `noted`
//! writes the statistics.

mod asked;
mod fault;
mod guard;
mod noted;
mod plan;
mod schedule;
mod task;
mod wire;

pub use fault::WireFault;
pub use plan::{LineTiming, PlannedPoint, PlannedRequest, load, plan, split};
pub use schedule::{Ask, Next, Outcome, Purpose, Report, Schedule, UnitSetup};
pub(super) use task::serve;
