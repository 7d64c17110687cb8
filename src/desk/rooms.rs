//! The rooms that the desk asks: one row each. A row makes the room's verbs a part of [`Verb`], and its events a part of
//! [`Event`] with their kinds in the journal.

use serde::ser::Error as _;
use serde::{Serialize, Serializer};

use crate::alarm::{AlarmEvent, AlarmVerb};
use crate::baseline::{BaselineEvent, BaselineVerb};
use crate::gateway::{GatewayEvent, GatewayVerb};
use crate::service::{ServiceEvent, ServiceVerb};
use crate::ticket::{TicketAsk, TicketEvent};
use crate::writing::{WriteEvent, WriteVerb};

macro_rules! rooms {
    ($($(#[$doc:meta])* $name:ident: $verb:ty, $event:ty;)+) => {
        /// What somebody asks, by room.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Verb {
            $($(#[$doc])* $name($verb),)+
        }

        /// Something that happened, for good, by room.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Event {
            $($(#[$doc])* $name($event),)+
            /// A kind that a later version wrote; it is kept and passed over.
            Other {
                /// Its kind.
                kind: String,
            },
        }

        impl Event {
            /// Reads the event of a line of this kind. A kind that no room lists is kept as [`Event::Other`].
            pub(super) fn read(kind: &str, line: &str) -> Result<Self, serde_json::Error> {
                $(if <$event>::KINDS.contains(&kind) {
                    return serde_json::from_str(line).map(Self::$name);
                })+
                Ok(Self::Other { kind: kind.to_owned() })
            }
        }

        impl Serialize for Event {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$name(event) => event.serialize(serializer),)+
                    Self::Other { kind } => Err(S::Error::custom(format!(
                        "{kind} is a later version's event and is not written"
                    ))),
                }
            }
        }

        $(
            impl From<$verb> for Verb {
                fn from(verb: $verb) -> Self {
                    Self::$name(verb)
                }
            }

            impl From<$event> for Event {
                fn from(event: $event) -> Self {
                    Self::$name(event)
                }
            }
        )+
    };
}

rooms! {
    /// Of a ticket.
    Ticket: TicketAsk, TicketEvent;
    /// Of an alarm.
    Alarm: AlarmVerb, AlarmEvent;
    /// Of a piece of equipment's service.
    Service: ServiceVerb, ServiceEvent;
    /// Of a write to equipment.
    Write: WriteVerb, WriteEvent;
    /// Of what is known as normal.
    Baseline: BaselineVerb, BaselineEvent;
    /// Of the gateway itself.
    Gateway: GatewayVerb, GatewayEvent;
}
