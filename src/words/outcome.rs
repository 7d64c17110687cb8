//! The table of outcomes: the exit code and the HTTP status for each way in which a command can end.

use serde::{Deserialize, Serialize};

/// Defines [`Outcome`] from one table. A row is `Name "word" exit-code http-status "meaning";`.
macro_rules! outcomes {
    ($($outcome:ident $word:tt $exit_code:literal $http_status:literal $meaning:literal;)+) => {
        /// The way in which a command ended.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Outcome {
            $(#[doc = $meaning] #[serde(rename = $word)] $outcome,)+
        }

        impl Outcome {
            /// All outcomes, in the order of their exit codes.
            pub const ALL: [Outcome; [$($exit_code),+].len()] = [$(Outcome::$outcome),+];

            /// The exit code of the process.
            #[must_use]
            pub fn exit_code(self) -> u8 {
                match self { $(Outcome::$outcome => $exit_code,)+ }
            }

            /// The HTTP status of an answer with this outcome; 0 if no answer can carry the outcome.
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
