//! [`CliError`]: the reason why a command failed, its exit code, and its form for `--json`.

use crate::client::ClientError;
use crate::source::Diagnostics;
use crate::v1::{ErrorBody, ErrorV1};
use crate::words::Outcome;

/// The reason why a command failed.
#[derive(Debug)]
pub enum CliError {
    /// The gateway refuses, does not answer, or cannot be reached.
    Client(ClientError),
    /// Configuration files or profiles have errors.
    Files(Vec<Diagnostics>),
    /// Another reason: the outcome, and the message for the person.
    Other(Outcome, String),
    /// Standard output cannot be written.
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
    /// Returns the error for a command or a file that andon does not understand.
    pub fn usage(text: impl Into<String>) -> Self {
        CliError::Other(Outcome::Usage, text.into())
    }

    /// Returns the outcome of the command, which gives the exit code.
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

    /// Returns the error in the format of the API, for `--json`.
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
