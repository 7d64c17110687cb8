//! Basic types that every module shares: ids, time, readings, severities, outcomes and refusals.
//!
//! Each file defines one type. A module of the core takes these types as arguments and returns them: a device
//! answers, `profile` decodes the answer into a [`Reading`], and `detect` evaluates the reading.
//!
//! ```
//! use andon::words::{EquipmentId, Mono, Now, Reading, Value, Wall};
//! let press = EquipmentId::parse("press-7").unwrap();
//! let at = Now { mono: Mono(0), wall: Wall::parse("2026-11-27T08:00:00Z").unwrap() };
//! let reading = Reading { value: Ok(Value::Real(230.2)), at };
//! assert_eq!(press.to_string(), "press-7");
//! assert_eq!(reading.value.unwrap().to_string(), "230.2");
//! ```
//!
//! *Must not know* any other module, and holds no behaviour of one.

mod damage;
mod finite;
mod id;
mod outcome;
mod person;
mod reading;
mod refusal;
mod severity;
mod shown;
mod span;
mod text;
mod time;
mod unit;
mod worded;

pub use damage::Damage;
pub use finite::Finite;
pub use id::{
    EquipmentId, EquipmentIndex, FaultName, IdError, LinkName, PointIndex, PointName, ProfileName, Seq,
    StepId, TicketNumber,
};
pub use outcome::Outcome;
pub use person::{Author, plain_name};
pub use reading::{BadReason, Presence, Quality, Reading, Value, render_real};
pub use refusal::{Refusal, Remedy, Rule, reason_of};
pub use severity::Severity;
pub use shown::{is_unshowable, shown};
pub use span::{parse_duration, render_duration};
pub use text::{Excerpt, shortened};
pub use time::{LocalTime, Mono, Now, Wall};
pub use unit::Unit;
pub(crate) use worded::worded;
