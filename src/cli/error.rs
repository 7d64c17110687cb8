//! Why a command did not do what it was asked, and how that is told.

use crate::client::ClientError;
use crate::source::Diagnostics;
use crate::v1::{ErrorBody, ErrorV1};
use crate::words::Outcome;

/// A command's end other than done.
#[derive(Debug)]
pub enum CliError {
    /// The gateway refuses or is not there.
    Client(ClientError),
    /// Files that people wrote are wrong.
    Files(Vec<Diagnostics>),
    /// Anything else, with its outcome.
    Other(Outcome, String),
    /// Standard output is closed.
    Output(std::io::Error),
}

impl From<ClientError> for CliError {
    fn from(e: ClientError) -> Self {
        CliError::Client(e)
    }
}

impl From<std::io::Error> for CliError {
    fn from(e: std::io::Error) -> Self {
        CliError::Output(e)
    }
}

impl CliError {
    /// A command or file that was not understood.
    pub fn usage(text: impl Into<String>) -> Self {
        CliError::Other(Outcome::Usage, text.into())
    }

    /// What the process ends in.
    pub fn outcome(&self) -> Outcome {
        match self {
            CliError::Client(ClientError::Unreachable(_) | ClientError::NoAnswer { .. }) => {
                Outcome::Unreachable
            }
            CliError::Client(ClientError::Refused(e)) => e.outcome,
            CliError::Files(_) => Outcome::Usage,
            CliError::Other(outcome, _) => *outcome,
            CliError::Output(_) => Outcome::OwnFailure,
        }
    }

    /// The error in the API's words, for `--json`.
    pub fn body(&self) -> ErrorBody {
        let plain = |rule: &str, message: String| ErrorV1 {
            rule: rule.to_owned(),
            message,
            remedies: Vec::new(),
            outcome: self.outcome(),
        };
        let error = match self {
            CliError::Client(ClientError::Refused(e)) => e.clone(),
            CliError::Client(ClientError::Unreachable(why)) => plain("cli/unreachable", why.clone()),
            CliError::Client(e @ ClientError::NoAnswer { .. }) => plain("cli/no-answer", e.to_string()),
            CliError::Files(all) => plain("cli/files", Diagnostics::lines_of(all).join("\n")),
            CliError::Other(_, text) => plain("cli/failed", text.clone()),
            CliError::Output(e) => plain("cli/output", e.to_string()),
        };
        ErrorBody { error }
    }
}
