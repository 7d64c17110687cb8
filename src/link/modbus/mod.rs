//! Modbus TCP and RTU: plan, schedule, guard, wire, task.

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
