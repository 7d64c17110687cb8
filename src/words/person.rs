//! Who acts: a person, or the gateway itself.

use serde::{Deserialize, Serialize};

/// The author of an event. In `open` mode a name is recorded as given, unproven.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "who", rename_all = "kebab-case")]
pub enum Author {
    /// The gateway itself: detection, timers, start and stop.
    Gateway,
    /// A person who gave this name; nothing proved it.
    Unproven {
        /// The name as given with `--as`, or the user logged in.
        name: String,
    },
}

impl Author {
    /// The name on screens.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Author::Gateway => "andon",
            Author::Unproven { name } => name,
        }
    }
}
