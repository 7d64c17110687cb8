//! The learned models of normal operation. They survive a restart, and a person can discard one so that it is learned
//! again.
//!
//! The detector learns and evaluates ([`crate::detect`]); this module keeps the learned models. [`decide`] decides a
//! [`BaselineVerb`]. [`apply`] keeps the models in the [`BaselineState`] and cannot refuse, so every old journal
//! loads. The desk gives the models to the detector after a restart.
//!
//! ```
//! # use andon::{profile, site, source::SourceText, words::ProfileName};
//! # struct Files;
//! # impl site::ProfileFiles for Files {
//! #     fn text(&self, _: &ProfileName) -> Option<SourceText> {
//! #         let text = "[device]\nvendor = 'v'\nmodel = 'm'\nkind = 'k'\n[points]\n\
//! #             flow = { register = 'holding:0', type = 'f32' }\ncurrent = { register = 'holding:2', type = 'f32' }\n\
//! #             [baseline.loop]\npoints = ['flow', 'current']\nlearn = 100\n";
//! #         Some(SourceText::new("pump.toml", text))
//! #     }
//! #     fn names(&self) -> Vec<String> {
//! #         vec!["pump".to_owned()]
//! #     }
//! # }
//! # let text = "[gateway]\nname = 'g'\n[[link]]\nname = 'l'\nkind = 'modbus-tcp'\naddress = '127.0.0.1:502'\n\
//! #     [[equipment]]\nid = 'pump-1'\nlink = 'l'\nunit = 1\nprofile = 'pump'\n";
//! # let (site, problems) = site::load(&SourceText::new("andon.toml", text), &Files);
//! # let site = site.unwrap_or_else(|| panic!("{problems:?}"));
//! use andon::baseline::{BaselineState, BaselineVerb, apply, decide};
//!
//! let (_, pump) = site.find("pump-1").unwrap();
//! let (equipment, fault) = ("pump-1".to_owned(), "loop".to_owned());
//! let verb = BaselineVerb::Relearn { equipment, fault, reason: "new impeller".to_owned() };
//! let (event, told) = decide(&verb, pump).unwrap();
//! assert_eq!(told, "andon learns loop of pump-1 again from 100 samples");
//! let mut state = BaselineState::default();
//! let key = apply(&mut state, &event);
//! assert!(!state.models.contains_key(&key), "the old model is discarded");
//! ```

mod apply;
mod decide;
mod state;
mod verb;

pub use apply::apply;
pub use decide::decide;
pub use state::BaselineState;
pub use verb::BaselineVerb;

pub use crate::detect::BaselineEvent;
