//! Simulated equipment for the demo, the tests and training: Modbus TCP on a socket, and Modbus RTU on a
//! pseudo-terminal with the time of each character.
//!
//! [`load`] reads the file of a [`Plant`], and [`serve`] makes its machines answer. A daemon then reads them like
//! real machines.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use andon::profile::{self, Area};
//! use andon::sim;
//! use andon::source::SourceText;
//! use andon::words::ProfileName;
//!
//! let pump = "[device]\nvendor = 'v'\nmodel = 'm'\nkind = 'pump'\n[points]\n\
//!     pressure = { register = 'holding:0', type = 'u16', scale = 0.1, unit = 'bar' }\n";
//! let pump = profile::load(&ProfileName::parse("pump").unwrap(), &SourceText::new("pump.toml", pump)).0.map(Arc::new);
//! let text = "[[line]]\nname = 'l'\nkind = 'modbus-tcp'\nlisten = '127.0.0.1:0'\n\
//!     [[device]]\nname = 'pump-1'\nline = 'l'\nunit = 1\nprofile = 'pump'\npoints = { pressure = 7.5 }\n";
//! let (plant, problems) = sim::load(&SourceText::new("plant.toml", text), 1, &|_| pump.clone());
//! let plant = plant.unwrap_or_else(|| panic!("{problems:?}"));
//! let registers = plant.devices[0].machine.with(|m| m.registers(Area::Holding, 0, 1, Duration::ZERO));
//! assert_eq!(registers, Some(vec![75]), "7.5 bar, scaled");
//! ```
//!
//! *Must not know* `link`. The simulator has its own framing, checksum and answers; with shared code, a mistake in
//! one would hide the same mistake in the other. The registers of a machine are a pure function of its state and the
//! time ([`Machine`]).

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
