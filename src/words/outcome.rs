//! The one table of outcomes: exit code and HTTP status of everything a command can end in.

use serde::{Deserialize, Serialize};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Done.
    Done,
    /// A negative answer: a check that failed, an audit that does not verify.
    Negative,
    /// The command was not understood.
    Usage,
    /// There is no such thing.
    NoSuchThing,
    /// A rule or a permission refused.
    Refused,
    /// The gateway cannot be reached.
    Unreachable,
    /// The gateway's own failure: a full disk, a bug.
    OwnFailure,
}

impl Outcome {
    /// Every outcome, by exit code.
    pub const ALL: [Outcome; 7] = [
        Outcome::Done,
        Outcome::Negative,
        Outcome::Usage,
        Outcome::NoSuchThing,
        Outcome::Refused,
        Outcome::Unreachable,
        Outcome::OwnFailure,
    ];

    /// The process's exit code.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Outcome::Done => 0,
            Outcome::Negative => 1,
            Outcome::Usage => 2,
            Outcome::NoSuchThing => 3,
            Outcome::Refused => 4,
            Outcome::Unreachable => 5,
            Outcome::OwnFailure => 6,
        }
    }

    /// The HTTP status of an answer with this outcome; 0 for what no answer can carry.
    #[must_use]
    pub fn http_status(self) -> u16 {
        match self {
            Outcome::Done | Outcome::Negative => 200,
            Outcome::Usage => 400,
            Outcome::NoSuchThing => 404,
            Outcome::Refused => 409,
            Outcome::Unreachable => 0,
            Outcome::OwnFailure => 503,
        }
    }

    /// What it means, in a few words.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::Negative => "a negative answer: a check that failed, an audit that does not verify",
            Outcome::Usage => "usage: the command or a file was not understood",
            Outcome::NoSuchThing => "no such equipment, ticket, point or file",
            Outcome::Refused => "refused by a rule or a permission",
            Outcome::Unreachable => "the gateway cannot be reached",
            Outcome::OwnFailure => "the gateway's own failure: disk full, a bug",
        }
    }
}
