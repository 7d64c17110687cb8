//! Refusals are data: which rule refused, about what, and what would satisfy it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::outcome::Outcome;

/// Everything that can refuse a command. Each has a stable code and a test that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// There is no ticket of that number.
    NoSuchTicket,
    /// There is no equipment of that id.
    NoSuchEquipment,
    /// The equipment has neither a point nor a fault of that name.
    NoSuchPointOrFault,
    /// The equipment has no live ticket.
    NoLiveTicket,
    /// The equipment has several live tickets: a number is needed.
    SeveralLiveTickets,
    /// The ticket's state does not allow the verb.
    WrongState,
    /// Nobody says who acts.
    NoPerson,
    /// A name is not written in the plain form of names, or is the gateway's own.
    BadName,
    /// A fix was recorded while the fault is still active, without a reason.
    FixWhileActive,
    /// A close was asked while the fault is still active.
    CloseWhileActive,
    /// The ticket has no such step.
    NoSuchStep,
    /// Another step comes first.
    StepOutOfOrder,
    /// A step that a person does needs an answer.
    StepNeedsAnswer,
    /// The equipment did not answer the check in time.
    CheckUnanswered,
    /// The same check is under way.
    CheckUnderWay,
    /// A ticket cannot be a duplicate of itself, or of one that does not exist.
    BadDuplicate,
    /// A text is empty or too long.
    BadText,
    /// The ticket's record is full.
    RecordFull,
    /// The journal cannot be written.
    JournalNotWritable,
    /// An event cannot be written as a line of the journal: a bug of andon.
    NotRecordable,
    /// No damage of the journal waits to be accepted.
    NothingToAccept,
    /// The ticket database is behind the journal, or is being rebuilt from it.
    StoreBehind,
    /// Too many commands wait.
    TooBusy,
    /// The profile does not allow the point to be written.
    NotWritable,
    /// The value is outside the profile's bounds.
    OutOfBounds,
    /// The text is no value that the point can hold.
    BadValue,
    /// The same point is being written.
    WriteUnderWay,
    /// The value did not read back.
    WriteUnconfirmed,
    /// An alarm is shelved until a time that is near enough.
    BadShelf,
    /// The alarm is not shelved.
    NotShelved,
    /// The equipment is in service already, or out of it.
    WrongService,
    /// Only a running daemon reaches equipment.
    NeedsDaemon,
    /// The configuration has an error.
    BadConfiguration,
    /// The link is not open.
    LinkAway,
    /// No frames are kept with the ticket.
    NoCapture,
    /// No readings are kept with the ticket.
    NoTrace,
}

impl Rule {
    /// Every rule, in the order of the guide's table.
    pub const ALL: [Rule; 36] = [
        Rule::NoSuchTicket,
        Rule::NoSuchEquipment,
        Rule::NoSuchPointOrFault,
        Rule::NoLiveTicket,
        Rule::SeveralLiveTickets,
        Rule::WrongState,
        Rule::NoPerson,
        Rule::BadName,
        Rule::FixWhileActive,
        Rule::CloseWhileActive,
        Rule::NoSuchStep,
        Rule::StepOutOfOrder,
        Rule::StepNeedsAnswer,
        Rule::CheckUnanswered,
        Rule::CheckUnderWay,
        Rule::BadDuplicate,
        Rule::BadText,
        Rule::RecordFull,
        Rule::JournalNotWritable,
        Rule::NotRecordable,
        Rule::NothingToAccept,
        Rule::StoreBehind,
        Rule::TooBusy,
        Rule::NotWritable,
        Rule::OutOfBounds,
        Rule::BadValue,
        Rule::WriteUnderWay,
        Rule::WriteUnconfirmed,
        Rule::BadShelf,
        Rule::NotShelved,
        Rule::WrongService,
        Rule::NeedsDaemon,
        Rule::BadConfiguration,
        Rule::LinkAway,
        Rule::NoCapture,
        Rule::NoTrace,
    ];

    /// The stable code, as in JSON and the guide.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Rule::NoSuchTicket => "ticket/no-such-ticket",
            Rule::NoSuchEquipment => "site/no-such-equipment",
            Rule::NoSuchPointOrFault => "site/no-such-point-or-fault",
            Rule::NoLiveTicket => "ticket/no-live-ticket",
            Rule::SeveralLiveTickets => "ticket/several-live-tickets",
            Rule::WrongState => "ticket/wrong-state",
            Rule::NoPerson => "people/no-person",
            Rule::BadName => "people/bad-name",
            Rule::FixWhileActive => "ticket/fix-while-active",
            Rule::CloseWhileActive => "ticket/close-while-active",
            Rule::NoSuchStep => "ticket/no-such-step",
            Rule::StepOutOfOrder => "ticket/step-out-of-order",
            Rule::StepNeedsAnswer => "ticket/step-needs-answer",
            Rule::CheckUnanswered => "ticket/check-unanswered",
            Rule::CheckUnderWay => "ticket/check-under-way",
            Rule::BadDuplicate => "ticket/bad-duplicate",
            Rule::BadText => "ticket/bad-text",
            Rule::RecordFull => "ticket/record-full",
            Rule::JournalNotWritable => "journal/not-writable",
            Rule::NotRecordable => "journal/not-recordable",
            Rule::NothingToAccept => "journal/nothing-to-accept",
            Rule::StoreBehind => "store/behind",
            Rule::TooBusy => "gateway/too-busy",
            Rule::NotWritable => "equipment/not-writable",
            Rule::OutOfBounds => "equipment/out-of-bounds",
            Rule::BadValue => "equipment/bad-value",
            Rule::WriteUnderWay => "equipment/write-under-way",
            Rule::WriteUnconfirmed => "equipment/write-unconfirmed",
            Rule::BadShelf => "alarm/bad-shelf",
            Rule::NotShelved => "alarm/not-shelved",
            Rule::WrongService => "equipment/wrong-service",
            Rule::NeedsDaemon => "gateway/needs-daemon",
            Rule::BadConfiguration => "gateway/bad-configuration",
            Rule::LinkAway => "link/away",
            Rule::NoCapture => "ticket/no-capture",
            Rule::NoTrace => "ticket/no-trace",
        }
    }

    /// What the rule protects, for the guide.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Rule::NoSuchTicket => "A ticket is named by a number that was given out.",
            Rule::NoSuchEquipment => "Equipment is named by its id in andon.toml.",
            Rule::NoSuchPointOrFault => "Points and faults are named as in the profile.",
            Rule::NoLiveTicket => "An equipment id stands for its one live ticket.",
            Rule::SeveralLiveTickets => "An equipment id stands for its one live ticket.",
            Rule::WrongState => "A ticket moves along its lifecycle only.",
            Rule::NoPerson => "Every change has a person: --as NAME, or the user logged in.",
            Rule::BadName => "A name is plain text, and andon is the gateway's own name.",
            Rule::FixWhileActive => "A fix while the fault is active needs a reason.",
            Rule::CloseWhileActive => "Closing verifies the fix: the fault must have cleared.",
            Rule::NoSuchStep => "Steps are named as in the profile.",
            Rule::StepOutOfOrder => "Steps are walked in order.",
            Rule::StepNeedsAnswer => "A step that a person does is answered yes, no or skip.",
            Rule::CheckUnanswered => "A check is answered from fresh readings only.",
            Rule::CheckUnderWay => "A check runs once at a time.",
            Rule::BadDuplicate => "A duplicate names another ticket.",
            Rule::BadText => "Texts say something, within bounds.",
            Rule::RecordFull => "A ticket's record is bounded.",
            Rule::JournalNotWritable => "Nothing is acknowledged that is not on disk.",
            Rule::NotRecordable => {
                "Every event must fit into one line of the journal and read back the same."
            }
            Rule::NothingToAccept => "Only damage that was found in the journal can be accepted.",
            Rule::StoreBehind => "The ticket database must be up to date with the journal before it answers.",
            Rule::TooBusy => "Commands wait in a bounded queue.",
            Rule::NotWritable => "Reading is all that andon does, unless the profile says writable.",
            Rule::OutOfBounds => "What is written stays between the profile's bounds.",
            Rule::BadValue => "A value that is written fits its point exactly.",
            Rule::WriteUnderWay => "A point is written by one person at a time.",
            Rule::WriteUnconfirmed => "A write is done when the value reads back.",
            Rule::BadShelf => "Shelving has an end, and a near one.",
            Rule::NotShelved => "Only what is shelved is unshelved.",
            Rule::WrongService => "Equipment is in service or out of it.",
            Rule::NeedsDaemon => "Equipment is reached by the daemon alone.",
            Rule::BadConfiguration => "Loading is all or nothing.",
            Rule::LinkAway => "What is asked of a line needs the line.",
            Rule::NoTrace => "Readings are kept from before a fault's onset to after it.",
            Rule::NoCapture => "Frames are kept with the last ten thousand tickets.",
        }
    }

    /// The outcome a refusal by this rule ends in.
    #[must_use]
    pub fn outcome(self) -> Outcome {
        match self {
            Rule::NoSuchTicket
            | Rule::NoSuchEquipment
            | Rule::NoSuchPointOrFault
            | Rule::NoLiveTicket
            | Rule::NoSuchStep
            | Rule::NoCapture
            | Rule::NothingToAccept
            | Rule::NoTrace => Outcome::NoSuchThing,
            Rule::JournalNotWritable | Rule::NotRecordable | Rule::StoreBehind | Rule::TooBusy => {
                Outcome::OwnFailure
            }
            Rule::SeveralLiveTickets
            | Rule::WrongState
            | Rule::NoPerson
            | Rule::BadName
            | Rule::FixWhileActive
            | Rule::CloseWhileActive
            | Rule::StepOutOfOrder
            | Rule::StepNeedsAnswer
            | Rule::CheckUnanswered
            | Rule::CheckUnderWay
            | Rule::BadDuplicate
            | Rule::BadText
            | Rule::RecordFull
            | Rule::NotWritable
            | Rule::OutOfBounds
            | Rule::BadValue
            | Rule::WriteUnderWay
            | Rule::WriteUnconfirmed
            | Rule::BadShelf
            | Rule::NotShelved
            | Rule::WrongService
            | Rule::NeedsDaemon
            | Rule::BadConfiguration
            | Rule::LinkAway => Outcome::Refused,
        }
    }
}

/// What would satisfy the rule: a sentence and, where there is one, the very command to type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remedy {
    /// What to do.
    pub text: String,
    /// The command that does it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub command: Option<String>,
}

/// A command that a rule refused. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Which rule.
    pub rule: Rule,
    /// What is the case, as a sentence without a full stop.
    pub message: String,
    /// What would satisfy it.
    pub remedies: Vec<Remedy>,
}

impl Refusal {
    /// A refusal without a remedy yet.
    #[must_use]
    pub fn new(rule: Rule, message: impl Into<String>) -> Self {
        Self { rule, message: message.into(), remedies: Vec::new() }
    }

    /// Adds what would satisfy the rule.
    #[must_use]
    pub fn remedy(mut self, text: impl Into<String>) -> Self {
        self.remedies.push(Remedy { text: text.into(), command: None });
        self
    }

    /// Adds what would satisfy the rule and the command that does it.
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
