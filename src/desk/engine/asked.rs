//! A command: who asks, which ticket is meant, and what is decided.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Desk, Origin, not_writable};
use crate::alarm::{AlarmEvent, AlarmState};
use crate::desk::checks::Check;
use crate::desk::command::{Command, Output, Target, Token};
use crate::desk::event::Event;
use crate::limits;
use crate::profile::Question;
use crate::ticket::{CancelReason, StepNow, Ticket, TicketCommand, TicketEvent, current_step, decide};
use crate::words::{Author, Now, Refusal, Rule, plain_name};

impl Desk {
    pub(super) fn asked(&mut self, now: Now, token: Token, command: Command) {
        match self.decide_command(now, token, &command) {
            Ok(Some(events)) => {
                self.emit(now, &command.by, events, Origin::Command(token), command.stored);
            }
            Ok(None) => {}
            Err(refusal) => self.outputs.push_back(Output::Reply(token, Box::new(Err(refusal)))),
        }
    }

    fn decide_command(
        &mut self,
        now: Now,
        token: Token,
        command: &Command,
    ) -> Result<Option<Vec<Event>>, Refusal> {
        self.check_asker(&command.by)?;
        let ticket = self.find(command)?.clone();
        if let TicketCommand::Cancel { reason: CancelReason::DuplicateOf(other), .. } = &command.verb
            && !command.duplicate_exists
        {
            return Err(Refusal::new(Rule::BadDuplicate, format!("there is no ticket {other}"))
                .command("name the other ticket", "andon ticket list"));
        }
        let found = self.site.find(ticket.equipment.as_str());
        let site = self.site.clone();
        let fault =
            site.find(ticket.equipment.as_str()).and_then(|(_, e)| e.profile.fault(ticket.fault.as_str()));
        if let TicketCommand::Step { step, answer, note } = &command.verb
            && self.reads
            && let StepNow::ToCheck(found_step) = current_step(&ticket, fault, step, *answer)?
            && let (Question::Check { program, hold }, Some((index, _))) = (&found_step.question, found)
        {
            if self.checks.iter().any(|(c, _)| c.number == ticket.number) {
                return Err(Refusal::new(
                    Rule::CheckUnderWay,
                    format!("a check of ticket {} is under way", ticket.number),
                )
                .remedy("wait for its answer"));
            }
            let operands = program
                .operands
                .iter()
                .filter_map(|o| self.site.resolve(index, o.equipment.as_deref(), &o.point))
                .collect();
            let check = Check::new(
                token,
                command.by.clone(),
                ticket.number,
                step.clone(),
                index,
                note.clone(),
                *hold,
                operands,
                now,
            );
            for e in check.operands.iter().map(|(e, _)| *e).collect::<BTreeSet<_>>() {
                self.outputs.push_back(Output::Read(e));
            }
            self.checks.push((check, now.mono + limits::CHECK_ANSWER_MAX));
            return Ok(None);
        }
        let events = decide(&ticket, fault, &command.verb, now)?;
        let mut events: Vec<Event> = events.into_iter().map(Event::Ticket).collect();
        self.acknowledge_alarm(&ticket, &mut events);
        Ok(Some(events))
    }

    /// What stands for every command: the journal can be written, and somebody says who acts.
    pub(super) fn check_asker(&self, by: &Author) -> Result<(), Refusal> {
        if let (Some(why), true) = (&self.not_writable, self.retry_at.is_some()) {
            return Err(not_writable(why));
        }
        if by.name().trim().is_empty() {
            return Err(Refusal::new(Rule::NoPerson, "andon does not know who you are")
                .command("add your name to the command", "andon --as NAME ..."));
        }
        plain_name(by.name())
    }

    /// Acknowledging a ticket acknowledges its alarm.
    fn acknowledge_alarm(&self, ticket: &Ticket, events: &mut Vec<Event>) {
        let acknowledged =
            events.iter().any(|e| matches!(e, Event::Ticket(TicketEvent::Acknowledged { .. })));
        let key = (ticket.equipment.clone(), ticket.fault.clone());
        let unseen = self.state.alarms.get(&key).is_some_and(|a| a.state != AlarmState::Acknowledged);
        if acknowledged && unseen {
            let (equipment, fault) = key;
            events.push(Event::Alarm(AlarmEvent::Acknowledged { equipment, fault }));
        }
    }

    fn find<'a>(&'a self, command: &'a Command) -> Result<&'a Ticket, Refusal> {
        match &command.target {
            Target::Number(number) => {
                self.state.tickets.get(number).or(command.stored.as_ref()).map(Arc::as_ref).ok_or_else(|| {
                    Refusal::new(Rule::NoSuchTicket, format!("there is no ticket {number}"))
                        .command("see which there are", "andon ticket list")
                })
            }
            Target::Equipment(id) => {
                if self.site.find(id).is_none() {
                    return Err(Refusal::new(Rule::NoSuchEquipment, format!("there is no equipment {id}"))
                        .command("see which there is", "andon equipment list"));
                }
                let live: Vec<&Ticket> = self
                    .state
                    .tickets
                    .values()
                    .map(Arc::as_ref)
                    .filter(|t| t.state.is_live() && t.equipment.as_str() == id)
                    .collect();
                match live.as_slice() {
                    [only] => Ok(only),
                    [] => Err(Refusal::new(Rule::NoLiveTicket, format!("{id} has no live ticket"))
                        .command("see its past", format!("andon history --equipment {id}"))),
                    several => {
                        let numbers: Vec<String> =
                            several.iter().map(|t| format!("{} ({})", t.number, t.fault)).collect();
                        Err(Refusal::new(
                            Rule::SeveralLiveTickets,
                            format!("{id} has {} live tickets", several.len()),
                        )
                        .remedy(format!("name one by number: {}", numbers.join(", "))))
                    }
                }
            }
        }
    }
}
