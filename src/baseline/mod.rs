//! What is known as normal: learned models, kept over restarts, forgotten when a person asks to learn anew.
//!
//! The detector learns and watches ([`crate::detect`]); this module keeps what it learned. [`decide`] judges a
//! [`BaselineVerb`], [`apply`] keeps the models in the [`BaselineState`] and cannot refuse, so every old journal loads.

mod apply;
mod decide;
mod state;
mod verb;

pub use apply::apply;
pub use decide::decide;
pub use state::BaselineState;
pub use verb::BaselineVerb;

pub use crate::detect::BaselineEvent;
