//! The one table of outcomes: exit code and HTTP status of everything a command can end in.

use serde::{Deserialize, Serialize};

/// Writes the table of outcomes once: `Name "word" exit-code http-status "meaning";`.
macro_rules! outcomes {
    ($($outcome:ident $word:tt $exit_code:literal $http_status:literal $meaning:literal;)+) => {
        /// How a command ended.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Outcome {
            $(#[doc = $meaning] #[serde(rename = $word)] $outcome,)+
        }

        impl Outcome {
            /// Every outcome, by exit code.
            pub const ALL: [Outcome; [$($exit_code),+].len()] = [$(Outcome::$outcome),+];

            /// The process's exit code.
            #[must_use]
            pub fn exit_code(self) -> u8 {
                match self { $(Outcome::$outcome => $exit_code,)+ }
            }

            /// The HTTP status of an answer with this outcome; 0 for an outcome that no answer can carry.
            #[must_use]
            pub fn http_status(self) -> u16 {
                match self { $(Outcome::$outcome => $http_status,)+ }
            }

            /// The outcome in a few words, for `andon guide exit-codes`.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Outcome::$outcome => $meaning,)+ }
            }
        }
    };
}

outcomes! {
    Done "done" 0 200 "done";
    Negative "negative" 1 200 "negative answer: a check failed, or the journal is damaged";
    Usage "usage" 2 400 "usage error: andon did not understand the command or a file";
    NoSuchThing "no-such-thing" 3 404 "not found: no such equipment, ticket, point or file";
    Refused "refused" 4 409 "refused by a rule";
    Unreachable "unreachable" 5 0 "the gateway cannot be reached";
    OwnFailure "own-failure" 6 503 "internal failure of the gateway (for example: disk full)";
}
