//! Simulated equipment on real wires: Modbus TCP, and Modbus RTU on a pseudo-terminal where every character takes
//! its time. For the demo, the tests and training.
//!
//! *Must not know* `link`, or one mistake would cancel another: it frames, checks and answers by itself. What a
//! machine's registers hold is a pure function of its state and the time ([`Machine`]).

mod machine;
mod pdu;
mod plant;
mod plug;
mod rtu;
mod script;
mod serve;
mod tcp;
mod wave;

pub use machine::{Machine, Shared};
pub use plant::{DeviceSetup, LineKind, LineSetup, Plant, load};
pub use plug::plug;
pub use serve::{Serving, serve};
pub use wave::Wave;
