//! Decides a verb: the result is an event, or a refusal that names its rule and the next command to type.

use std::collections::BTreeMap;

use super::event::TicketEvent;
use super::state::{Condition, Ticket, TicketOrigin, TicketState};
use super::verb::{Answer, CancelReason, TicketVerb};
use crate::limits;
use crate::profile::{Fault, Question, Step, Target};
use crate::words::{Now, Refusal, Rule, StepId, plain_name};

/// The step to answer, and who can answer it.
#[derive(Debug, Clone, PartialEq)]
pub enum StepNow<'a> {
    /// The given answer is enough.
    Answered(&'a Step, Answer),
    /// The gateway must read the equipment.
    ToCheck(&'a Step),
}

/// The states in which work or verification is left.
const LIVE: [TicketState; 6] = [
    TicketState::Open,
    TicketState::Acknowledged,
    TicketState::InProgress,
    TicketState::OnHold,
    TicketState::Fixed,
    TicketState::Reopened,
];

/// Decides everything except a step that the gateway must check.
///
/// # Errors
/// If a rule refuses the verb.
#[expect(clippy::too_many_lines, reason = "one arm a verb: the lifecycle on one page")]
pub fn decide(
    t: &Ticket,
    fault: Option<&Fault>,
    command: &TicketVerb,
    now: Now,
) -> Result<Vec<TicketEvent>, Refusal> {
    use TicketState as S;
    let number = t.number;
    if t.entries >= limits::TICKET_ENTRIES_MAX {
        return Err(Refusal::new(Rule::RecordFull, format!("ticket {number} has {} entries", t.entries))
            .command("close it; a repeat opens a new one", format!("andon ticket close {number}")));
    }
    match command {
        TicketVerb::Acknowledge => {
            in_state(t, "acknowledged", &[S::Open])?;
            Ok(vec![TicketEvent::Acknowledged { number }])
        }
        TicketVerb::Assign { person } => {
            in_state(
                t,
                "assigned",
                &[S::Open, S::Acknowledged, S::InProgress, S::OnHold, S::Reopened, S::Fixed],
            )?;
            plain_name(person)?;
            Ok(vec![TicketEvent::Assigned { number, person: person.clone() }])
        }
        TicketVerb::Start => {
            in_state(t, "started", &[S::Open, S::Acknowledged, S::OnHold, S::Reopened])?;
            let seen = (t.state == S::Open).then_some(TicketEvent::Acknowledged { number });
            Ok(seen.into_iter().chain([TicketEvent::Started { number }]).collect())
        }
        TicketVerb::Hold { reason } => {
            in_state(t, "put on hold", &[S::InProgress])?;
            text("a reason", reason, limits::TEXT_BYTES_MAX)?;
            Ok(vec![TicketEvent::Held { number, reason: reason.clone() }])
        }
        TicketVerb::Note { text: note } => {
            text("a note", note, limits::TEXT_BYTES_MAX)?;
            Ok(vec![TicketEvent::Noted { number, text: note.clone() }])
        }
        TicketVerb::ReportAgain { equipment, text: observed } => {
            in_state(t, "reported again", &LIVE)?;
            if t.equipment.as_str() != equipment.as_str() {
                let text = format!("ticket {number} is about {}, not about {equipment}", t.equipment);
                return Err(Refusal::new(Rule::OtherEquipment, text)
                    .command("open a ticket of its own", format!("andon report-fault {equipment} TEXT")));
            }
            text("a report", observed, limits::PROSE_BYTES_MAX)?;
            Ok(vec![TicketEvent::ReportedAgain { number, text: observed.clone() }])
        }
        TicketVerb::Severity { severity } => {
            in_state(t, "given a severity", &LIVE)?;
            if t.origin != TicketOrigin::Report {
                let text = format!("the severity of ticket {number} is that of fault {}", t.fault);
                return Err(Refusal::new(Rule::SeverityOfFault, text)
                    .remedy("change the severity in the equipment's profile"));
            }
            Ok(vec![TicketEvent::SeveritySet { number, severity: *severity }])
        }
        TicketVerb::Step { step, answer, note } => match current_step(t, fault, step, *answer)? {
            StepNow::Answered(step, answer) => {
                Ok(vec![decide_answer(t, step, answer, false, note.clone(), BTreeMap::new())?])
            }
            StepNow::ToCheck(step) => Err(Refusal::new(
                Rule::CheckUnanswered,
                format!("step {} needs a reading, but no daemon is running", step.id),
            )
            .command("start it", "andon daemon")
            .command(
                "or check the equipment yourself and answer",
                format!("andon ticket step {number} {} yes|no", step.id),
            )),
        },
        TicketVerb::Fix { cause, action, parts, minutes, while_active } => {
            in_state(t, "fixed", &[S::InProgress])?;
            text("a cause", cause, limits::TEXT_BYTES_MAX)?;
            text("an action", action, limits::TEXT_BYTES_MAX)?;
            if parts.len() > limits::FIX_PARTS_MAX {
                return Err(Refusal::new(
                    Rule::BadText,
                    format!("a fix has at most {} parts", limits::FIX_PARTS_MAX),
                ));
            }
            for part in parts {
                text("a part", &part.id, limits::PART_BYTES_MAX)?;
            }
            let reason = while_active.as_ref().filter(|r| !r.trim().is_empty());
            if let Some(reason) = reason {
                text("a reason", reason, limits::TEXT_BYTES_MAX)?;
            }
            if t.condition == Condition::Active && reason.is_none() {
                return Err(Refusal::new(
                    Rule::FixWhileActive,
                    format!("{} on {} is still active", t.fault, t.equipment),
                )
                .remedy("wait until the fault has cleared")
                .command(
                    "or say why it can be fixed while active",
                    format!("andon ticket fix {number} ... --while-active REASON"),
                ));
            }
            Ok(vec![TicketEvent::Fixed {
                number,
                cause: cause.clone(),
                action: action.clone(),
                parts: parts.clone(),
                minutes: *minutes,
                while_active: reason.filter(|_| t.condition == Condition::Active).cloned(),
            }])
        }
        TicketVerb::Close { note } => {
            in_state(t, "closed", &[S::Fixed])?;
            optional(note.as_ref())?;
            if t.condition == Condition::Active {
                return Err(Refusal::new(
                    Rule::CloseWhileActive,
                    format!("{} on {} is still active", t.fault, t.equipment),
                )
                .remedy("wait until the fault has cleared")
                .command("or reopen the ticket", format!("andon ticket reopen {number} REASON")));
            }
            let watch = fault.map_or(limits::WATCH_DEFAULT, |f| f.watch);
            Ok(vec![TicketEvent::Closed { number, watch_until: now.wall.after(watch), note: note.clone() }])
        }
        TicketVerb::Reopen { reason } => {
            in_state(t, "reopened", &[S::Fixed, S::Closed])?;
            text("a reason", reason, limits::TEXT_BYTES_MAX)?;
            Ok(vec![TicketEvent::Reopened {
                number,
                reason: reason.clone(),
                fix_ineffective: false,
                values: BTreeMap::new(),
            }])
        }
        TicketVerb::Cancel { reason, note } => {
            in_state(t, "cancelled", &[S::Open, S::Acknowledged, S::InProgress, S::OnHold, S::Reopened])?;
            optional(note.as_ref())?;
            if let CancelReason::DuplicateOf(other) = reason
                && *other == number
            {
                return Err(Refusal::new(
                    Rule::BadDuplicate,
                    format!("ticket {number} cannot be a duplicate of itself"),
                )
                .remedy("name the other ticket"));
            }
            Ok(vec![TicketEvent::Cancelled { number, reason: reason.clone(), note: note.clone() }])
        }
    }
}

/// Finds the step, and decides who answers it.
///
/// # Errors
/// If a rule refuses the step.
pub fn current_step<'a>(
    t: &Ticket,
    fault: Option<&'a Fault>,
    step: &StepId,
    answer: Option<Answer>,
) -> Result<StepNow<'a>, Refusal> {
    in_state(t, "walked through", &[TicketState::InProgress])?;
    let steps = fault.map_or(&[][..], |f| f.guidance.steps.as_slice());
    let Some(found) = steps.iter().find(|s| s.id == *step) else {
        let known: Vec<&str> = steps.iter().map(|s| s.id.as_str()).collect();
        let refusal = Refusal::new(Rule::NoSuchStep, format!("{} has no step {step}", t.fault));
        return Err(if known.is_empty() {
            refusal.remedy("its profile names no steps")
        } else {
            refusal.remedy(format!("its steps are {}", known.join(", ")))
        });
    };
    let due = if t.walked { None } else { t.next_step.as_ref().or_else(|| steps.first().map(|s| &s.id)) };
    if due != Some(step) {
        let refusal = Refusal::new(Rule::StepOutOfOrder, format!("step {step} is not the next one"));
        return Err(match due {
            Some(due) => refusal
                .command(format!("answer {due} first"), format!("andon ticket step {} {due}", t.number)),
            None => refusal.command(
                "all steps are answered; record the fix",
                format!("andon ticket fix {} --cause TEXT --action TEXT", t.number),
            ),
        });
    }
    match (answer, &found.question) {
        (Some(answer), _) => Ok(StepNow::Answered(found, answer)),
        (None, Question::Check { .. }) => Ok(StepNow::ToCheck(found)),
        (None, Question::Do(text)) => {
            Err(Refusal::new(Rule::StepNeedsAnswer, format!("step {step} is yours: {text}"))
                .command("answer it", format!("andon ticket step {} {step} yes|no|skip", t.number)))
        }
    }
}

/// The event of an answered step.
///
/// # Errors
/// If the note is too long.
pub fn decide_answer(
    t: &Ticket,
    step: &Step,
    answer: Answer,
    checked_by_gateway: bool,
    note: Option<String>,
    values: BTreeMap<String, String>,
) -> Result<TicketEvent, Refusal> {
    optional(note.as_ref())?;
    let target = match answer {
        Answer::Yes | Answer::Skip => &step.yes,
        Answer::No => &step.no,
    };
    let (next, finding) = match target {
        Target::Step(id) => (Some(id.clone()), None),
        Target::Cause(cause) if answer != Answer::Skip => (None, Some(cause.clone())),
        Target::Cause(_) | Target::Done => (None, None),
    };
    let question = step.question.text().to_owned();
    Ok(TicketEvent::StepAnswered {
        number: t.number,
        step: step.id.clone(),
        question,
        answer,
        checked_by_gateway,
        note,
        values,
        next,
        finding,
    })
}

fn in_state(t: &Ticket, verb: &str, allowed: &[TicketState]) -> Result<(), Refusal> {
    if allowed.contains(&t.state) {
        return Ok(());
    }
    let words: Vec<&str> = allowed.iter().map(|s| s.word()).collect();
    let refusal = Refusal::new(
        Rule::WrongState,
        format!(
            "ticket {} is {}; only one that is {} can be {verb}",
            t.number,
            t.state.word(),
            words.join(" or ")
        ),
    );
    let n = t.number;
    let way = |text: &str, command: String| refusal.clone().command(text, command);
    Err(match t.state {
        TicketState::Open | TicketState::Acknowledged | TicketState::Reopened | TicketState::OnHold
            if allowed.contains(&TicketState::InProgress) =>
        {
            way("start work first", format!("andon ticket start {n}"))
        }
        TicketState::InProgress if allowed.contains(&TicketState::Fixed) => {
            way("record the fix first", format!("andon ticket fix {n} --cause TEXT --action TEXT"))
        }
        TicketState::Open | TicketState::Acknowledged | TicketState::Reopened | TicketState::OnHold
            if allowed.contains(&TicketState::Fixed) =>
        {
            way("start work, then record the fix", format!("andon ticket start {n}"))
        }
        TicketState::Fixed | TicketState::Closed if !allowed.contains(&t.state) => {
            way("take it up again", format!("andon ticket reopen {n} REASON"))
        }
        _ => refusal,
    })
}

pub(super) fn text(what: &str, given: &str, max: usize) -> Result<(), Refusal> {
    if given.trim().is_empty() {
        return Err(Refusal::new(Rule::BadText, format!("{what} must say something")));
    }
    if given.len() > max {
        return Err(Refusal::new(
            Rule::BadText,
            format!("{what} has at most {max} bytes; this has {}", given.len()),
        ));
    }
    Ok(())
}

fn optional(note: Option<&String>) -> Result<(), Refusal> {
    note.map_or(Ok(()), |n| text("a note", n, limits::TEXT_BYTES_MAX))
}
