//! Writes to equipment. A write needs a reason, is recorded before it is sent, is read back, and its result is
//! recorded.
//!
//! [`decide`] decides a [`WriteVerb`] and makes an [`Order`] for the link. [`Orders`] holds the orders under way;
//! they do not survive a restart. When the link has carried an order out, the desk calls [`ended`], which returns the
//! event to record and the answer to the person.
//!
//! ```
//! # use andon::{source::SourceText, site, words::{Mono, Now, ProfileName, Wall}};
//! # struct Files;
//! # impl site::ProfileFiles for Files {
//! #     fn text(&self, _: &ProfileName) -> Option<SourceText> {
//! #         let text = "[device]\nvendor = 'v'\nmodel = 'm'\nkind = 'k'\n[points]\n\
//! #             setpoint = { register = 'holding:0', type = 'u16', scale = 0.1, unit = 'degC', \
//! #             writable = { min = 20, max = 200 } }\n";
//! #         Some(SourceText::new("oven.toml", text))
//! #     }
//! #     fn names(&self) -> Vec<String> {
//! #         vec!["oven".to_owned()]
//! #     }
//! # }
//! # let text = "[gateway]\nname = 'g'\n[[link]]\nname = 'l'\nkind = 'modbus-tcp'\naddress = '127.0.0.1:502'\n\
//! #     [[equipment]]\nid = 'oven-2'\nlink = 'l'\nunit = 1\nprofile = 'oven'\n";
//! # let (site, problems) = site::load(&SourceText::new("andon.toml", text), &Files);
//! # let site = std::sync::Arc::new(site.unwrap_or_else(|| panic!("{problems:?}")));
//! # let now = Now { mono: Mono(0), wall: Wall::from_millis(0) };
//! use andon::detect::Detector;
//! use andon::writing::{Carried, OrderId, WriteVerb, decide, ended};
//!
//! let detector = Detector::new(site.clone(), now);
//! let verb = WriteVerb {
//!     equipment: "oven-2".to_owned(),
//!     point: "setpoint".to_owned(),
//!     value: "180".to_owned(),
//!     reason: "recipe 12".to_owned(),
//! };
//! let (pending, _event) = decide(&site, &detector, now, OrderId(1), |_, _| false, &verb).unwrap();
//! assert_eq!(pending.order.words, [1800], "the value as a register");
//! let carried = Carried { answer: Ok(()), read_back: Ok(vec![1800]) };
//! let (_event, answer) = ended(&site, pending, &carried);
//! assert_eq!(answer.unwrap().value, "180 degC");
//! ```

mod decide;
mod event;
mod state;
mod verb;

pub use decide::{decide, ended};
pub use event::WriteEvent;
pub use state::{Carried, Order, OrderId, Orders, Pending, Wrote};
pub use verb::WriteVerb;
