//! The table of the rooms that the desk asks. The row of a room makes its verbs a variant of [`Verb`], and its events a
//! variant of [`Event`] with their kinds in the journal.

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
        /// The verb of a request, by room.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Verb {
            $($(#[$doc])* $name($verb),)+
        }

        /// A recorded change, by room. An event is never changed or removed.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Event {
            $($(#[$doc])* $name($event),)+
            /// An event of a kind that a later version of andon wrote. It stays in the journal and changes nothing.
            Other {
                /// The kind.
                kind: String,
            },
        }

        impl Event {
            /// Reads the event of a line of this kind. A kind that no room lists becomes [`Event::Other`].
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
                        "a later version of andon wrote this event ({kind}); this version cannot write it"
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
    /// Tickets.
    Ticket: TicketAsk, TicketEvent;
    /// Alarms.
    Alarm: AlarmVerb, AlarmEvent;
    /// Equipment in service and out of service.
    Service: ServiceVerb, ServiceEvent;
    /// Writes to equipment.
    Write: WriteVerb, WriteEvent;
    /// Learned models.
    Baseline: BaselineVerb, BaselineEvent;
    /// The gateway itself.
    Gateway: GatewayVerb, GatewayEvent;
}
