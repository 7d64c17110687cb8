//! Writing to equipment: asked for with a reason, recorded before it is sent, read back, and recorded again.
//!
//! [`decide`] judges a [`WriteVerb`] and makes an [`Order`] for the link. [`Orders`] holds the orders under way; nothing of
//! them is kept over a restart. When the link has carried an order out, [`ended`] says what to record and what to tell.

mod decide;
mod event;
mod state;
mod verb;

pub use decide::{decide, ended};
pub use event::WriteEvent;
pub use state::{Carried, Order, OrderId, Orders, Pending, Wrote};
pub use verb::WriteVerb;
