//! Refusals of commands: the rule that refused, the reason, and the remedies.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::outcome::Outcome;
use crate::limits;

/// Defines [`Rule`] from one table. A row is `Name "code" Outcome "meaning";`. It gives the variant, its code, its
/// outcome and its line in `andon guide rules`.
macro_rules! rules {
    ($($rule:ident $code:literal $outcome:ident $meaning:literal;)+) => {
        /// The rules that can refuse a command. Each rule has a stable code and a test that names it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Rule {
            $(#[doc = $meaning] $rule,)+
        }

        impl Rule {
            /// Every rule, in the order of `andon guide rules`.
            pub const ALL: [Rule; [$($code),+].len()] = [$(Rule::$rule),+];

            /// The stable code, as in JSON and in `andon guide rules`.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Rule::$rule => $code,)+ }
            }

            /// The demand of the rule, as one sentence of `andon guide rules`.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Rule::$rule => $meaning,)+ }
            }

            /// The outcome of a command that this rule refuses.
            #[must_use]
            pub fn outcome(self) -> Outcome {
                match self { $(Rule::$rule => Outcome::$outcome,)+ }
            }
        }
    };
}

rules! {
    NoSuchTicket "ticket/no-such-ticket" NoSuchThing "A ticket with this number must exist.";
    NoSuchEquipment "site/no-such-equipment" NoSuchThing "Equipment must be in andon.toml with this id.";
    NoSuchPointOrFault "site/no-such-point-or-fault" NoSuchThing
        "The profile of the equipment must have a point or a fault of this name.";
    NoLiveTicket "ticket/no-live-ticket" NoSuchThing
        "An equipment id names a ticket only while the equipment has a live ticket.";
    SeveralLiveTickets "ticket/several-live-tickets" Refused
        "An equipment id names a ticket only while the equipment has exactly one live ticket.";
    WrongState "ticket/wrong-state" Refused "The state of the ticket must allow the command.";
    NoPerson "people/no-person" Refused "Every change needs a person: --as NAME, or the user who is logged in.";
    BadName "people/bad-name" Refused
        "The name of a person must be plain text. The name andon is reserved for the gateway.";
    FixWhileActive "ticket/fix-while-active" Refused "A fix while the fault is active needs a reason.";
    OtherEquipment "ticket/other-equipment" Refused
        "A report can be added only to a ticket of the same equipment.";
    SeverityOfFault "ticket/severity-of-fault" Refused
        "Only the severity of a ticket that a person reported can be set.";
    CloseWhileActive "ticket/close-while-active" Refused
        "A ticket can be closed only after its fault has cleared.";
    NoSuchStep "ticket/no-such-step" NoSuchThing "The ticket must have a step of this name.";
    StepOutOfOrder "ticket/step-out-of-order" Refused "Steps must be answered in their order.";
    StepNeedsAnswer "ticket/step-needs-answer" Refused
        "A step that a person does needs an answer: yes, no or skip.";
    CheckUnanswered "ticket/check-unanswered" Refused "A check needs fresh, good readings of the equipment.";
    CheckUnderWay "ticket/check-under-way" Refused "A check of a step must end before the same check can start again.";
    BadDuplicate "ticket/bad-duplicate" Refused "A duplicate must name another ticket that exists.";
    BadText "ticket/bad-text" Refused "A text must not be empty or too long.";
    RecordFull "ticket/record-full" Refused "A ticket can hold only a limited number of log entries.";
    JournalNotWritable "journal/not-writable" OwnFailure
        "andon confirms a change only after it is in the journal on disk.";
    NotRecordable "journal/not-recordable" OwnFailure
        "Every event must fit into one line of the journal and read back the same.";
    NothingToAccept "journal/nothing-to-accept" NoSuchThing
        "Only damage that was found in the journal can be accepted.";
    StoreBehind "store/behind" OwnFailure
        "The ticket database must be up to date with the journal before it answers.";
    TooBusy "gateway/too-busy" OwnFailure "Only a limited number of commands can wait for the gateway.";
    NotWritable "equipment/not-writable" Refused "andon writes a point only if its profile says writable.";
    OutOfBounds "equipment/out-of-bounds" Refused "A written value must be within the bounds of the profile.";
    BadValue "equipment/bad-value" Refused "A written value must fit the type of its point exactly.";
    WriteUnderWay "equipment/write-under-way" Refused
        "A write to a point must end before the next write to the same point.";
    WriteUnconfirmed "equipment/write-unconfirmed" Refused
        "A write succeeds only if the device returns the new value.";
    BadShelf "alarm/bad-shelf" Refused "The end of shelving must be in the future and within seven days.";
    NotShelved "alarm/not-shelved" Refused "Only a shelved alarm can be unshelved.";
    WrongService "equipment/wrong-service" Refused
        "The equipment is already in the requested state (in service or out of service).";
    NeedsDaemon "gateway/needs-daemon" Refused "Only a running daemon can reach equipment.";
    BadConfiguration "gateway/bad-configuration" Refused
        "andon loads a configuration only if every file of it is correct.";
    LinkAway "link/away" Refused "The command needs a link that is open.";
    NoCapture "ticket/no-capture" NoSuchThing
        "Frames are kept with a ticket from its opening; the oldest are removed first.";
    NoTrace "ticket/no-trace" NoSuchThing
        "Readings are kept with a ticket if the fault's points were recorded around its onset.";
}

/// A way to satisfy the rule: a sentence and, if possible, the exact command to type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remedy {
    /// The thing to do, as a sentence without a full stop.
    pub text: String,
    /// The command that does it; `None` if no single command does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub command: Option<String>,
}

/// A command that a rule refused. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The rule that refused the command.
    pub rule: Rule,
    /// The reason, as a sentence without a full stop.
    pub message: String,
    /// The ways to satisfy the rule; can be empty.
    pub remedies: Vec<Remedy>,
}

impl Refusal {
    /// Makes a refusal without a remedy.
    #[must_use]
    pub fn new(rule: Rule, message: impl Into<String>) -> Self {
        Self { rule, message: message.into(), remedies: Vec::new() }
    }

    /// Adds a remedy without a command.
    #[must_use]
    pub fn remedy(mut self, text: impl Into<String>) -> Self {
        self.remedies.push(Remedy { text: text.into(), command: None });
        self
    }

    /// Adds a remedy with its command.
    #[must_use]
    pub fn command(mut self, text: impl Into<String>, command: impl Into<String>) -> Self {
        self.remedies.push(Remedy { text: text.into(), command: Some(command.into()) });
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.message, self.rule.code())
    }
}

impl std::error::Error for Refusal {}

/// Returns the reason of a command, without the spaces around it.
///
/// # Errors
/// [`Rule::BadText`] if the reason is empty or longer than [`limits::TEXT_BYTES_MAX`].
pub fn reason_of(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    if text.is_empty() || text.len() > limits::TEXT_BYTES_MAX {
        return Err(Refusal::new(Rule::BadText, "the command needs a reason of 1 to 8192 bytes")
            .remedy("say why: --reason TEXT"));
    }
    Ok(text.to_owned())
}
