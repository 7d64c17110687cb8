//! The words of the field, one file a word: ids, time, readings, severities, outcomes, refusals.
//!
//! *Must not know* any room: no behaviour of one lives here.

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
pub use time::{Mono, Now, Wall};
pub use unit::Unit;
pub(crate) use worded::worded;
