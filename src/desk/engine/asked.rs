//! A request of a person: checks who asks, lets the room decide, and emits the events.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Desk, Origin, not_writable};
use crate::alarm;
use crate::baseline::{self, BaselineVerb};
use crate::desk::checks::Check;
use crate::desk::command::{Ask, Output, Token};
use crate::desk::rooms::{Event, Verb};
use crate::gateway;
use crate::limits;
use crate::profile::Question;
use crate::service;
use crate::site::Equipment;
use crate::ticket::{
    CancelReason, StepNow, Target, Ticket, TicketAsk, TicketChange, TicketVerb, current_step, decide, report,
};
use crate::words::{Author, EquipmentId, FaultName, Now, Refusal, Rule, plain_name};
use crate::writing::{self, Carried, OrderId, Pending, WriteVerb, Wrote};

/// Returns the only fault of a link, if `name` is its name.
fn link_fault(name: &str) -> Result<FaultName, Refusal> {
    let own = FaultName::link_away();
    if own.as_str() == name {
        return Ok(own);
    }
    let text = format!("a link has no fault {name}: its only fault is {own}");
    Err(Refusal::new(Rule::NoSuchPointOrFault, text).command("list the alarms", "andon alarm list"))
}

/// The action to do when the events of a request are on disk.
#[derive(Debug)]
pub(super) enum OnRecord {
    /// Reply with the ticket after the events.
    Ticket,
    /// Reply with this sentence.
    Told(String),
    /// Send the order to write to the equipment. The reply follows when the order has ended.
    Order(Box<Pending>, Author),
    /// Reply with the result of an order.
    OrderEnded(Box<Result<Wrote, Refusal>>),
}

/// The result of a decided request.
struct Decided {
    events: Vec<Event>,
    answer: OnRecord,
}

impl Decided {
    fn told((event, told): (impl Into<Event>, String)) -> Self {
        Self { events: vec![event.into()], answer: OnRecord::Told(told) }
    }
}

impl Desk {
    /// Takes a request. A refusal is sent at once; any other reply waits until the events are on disk.
    pub(super) fn asked(&mut self, now: Now, token: Token, ask: &Ask) {
        match self.decide(now, token, ask) {
            Ok(Some(Decided { events, answer })) => {
                let stored = match &ask.verb {
                    Verb::Ticket(TicketAsk::Change(change)) => change.stored.clone(),
                    _ => None,
                };
                self.emit(now, &ask.by, events, Origin::Asked(token, answer), stored);
            }
            Ok(None) => {}
            Err(refusal) => self.outputs.push_back(Output::Reply(token, Box::new(Err(refusal)))),
        }
    }

    /// Lets the room decide. Returns `None` if the gateway must first check a step: the reply follows later.
    fn decide(&mut self, now: Now, token: Token, ask: &Ask) -> Result<Option<Decided>, Refusal> {
        self.check_asker(&ask.by)?;
        let decided = match &ask.verb {
            Verb::Ticket(TicketAsk::Change(change)) => {
                return self.decide_on_ticket(now, token, &ask.by, change);
            }
            Verb::Ticket(TicketAsk::Report(asked)) => {
                let (_, on) = self.site.known(&asked.equipment)?;
                let event = report(&self.state.tickets, asked, on, now)?;
                Decided { events: vec![event.into()], answer: OnRecord::Ticket }
            }
            Verb::Alarm(verb) => {
                let (id, on) = self.alarms_of(verb.equipment())?;
                let fault_of = |name: &str| match on {
                    Some(on) => on.fault(name).map(|fault| fault.name.clone()),
                    None => link_fault(name),
                };
                let held_back = |key: &_| self.held_back(key);
                Decided::told(alarm::decide(&self.state.alarms, verb, id, fault_of, now.wall, held_back)?)
            }
            Verb::Service(verb) => {
                let (_, on) = self.site.known(verb.equipment())?;
                Decided::told(service::decide(&self.state.service, verb, &on.id)?)
            }
            Verb::Baseline(verb) => {
                let BaselineVerb::Relearn { equipment, .. } = verb;
                let (_, on) = self.site.known(equipment)?;
                Decided::told(baseline::decide(verb, on)?)
            }
            Verb::Gateway(verb) => Decided::told(gateway::decide(&self.state.gateway, verb)?),
            Verb::Write(verb) => self.decide_write(now, &ask.by, verb)?,
        };
        Ok(Some(decided))
    }

    /// Finds the piece of equipment or the link with this name: both can have alarms.
    fn alarms_of(&self, name: &str) -> Result<(EquipmentId, Option<&Equipment>), Refusal> {
        let link = EquipmentId::parse(name).ok().filter(|id| self.site.link_of_id(id).is_some());
        match (self.site.find(name), link) {
            (None, Some(link)) => Ok((link, None)),
            _ => self.site.known(name).map(|(_, on)| (on.id.clone(), Some(on))),
        }
    }

    /// Decides a request about a ticket. If the gateway must check the step, a check begins and the result is `None`.
    fn decide_on_ticket(
        &mut self,
        now: Now,
        token: Token,
        by: &Author,
        ask: &TicketChange,
    ) -> Result<Option<Decided>, Refusal> {
        let ticket = self.find(ask)?.clone();
        if let TicketVerb::Cancel { reason: CancelReason::DuplicateOf(other), .. } = &ask.verb
            && !ask.duplicate_exists
        {
            return Err(Refusal::new(Rule::BadDuplicate, format!("there is no ticket {other}"))
                .command("name the other ticket", "andon ticket list"));
        }
        let site = self.site.clone();
        let found = site.find(ticket.equipment.as_str());
        let fault = ticket.fault_in(&site);
        if let TicketVerb::Step { step, answer, note } = &ask.verb
            && self.reads
            && let StepNow::ToCheck(found_step) = current_step(&ticket, fault, step, *answer)?
            && let (Question::Check { program, hold }, Some((equipment, _))) = (&found_step.question, found)
        {
            if self.checks.iter().any(|(c, _)| c.number == ticket.number) {
                return Err(Refusal::new(
                    Rule::CheckUnderWay,
                    format!("a check of ticket {} is under way", ticket.number),
                )
                .remedy("wait for its answer"));
            }
            let operands = program.operands.iter();
            let operands =
                operands.filter_map(|o| site.resolve(equipment, o.equipment.as_deref(), &o.point)).collect();
            let (by, number, step, note) = (by.clone(), ticket.number, step.clone(), note.clone());
            let (hold, asked_at, held_since) = (*hold, now, None);
            self.begin_check(Check {
                token,
                by,
                number,
                step,
                equipment,
                note,
                hold,
                operands,
                asked_at,
                held_since,
            });
            return Ok(None);
        }
        let events = decide(&ticket, fault, &ask.verb, now)?;
        let mut events: Vec<Event> = events.into_iter().map(Event::Ticket).collect();
        self.acknowledge_alarm(&ticket, &mut events);
        Ok(Some(Decided { events, answer: OnRecord::Ticket }))
    }

    /// Begins a check: orders a read of all equipment that the condition uses.
    fn begin_check(&mut self, check: Check) {
        for e in check.operands.iter().map(|(e, _)| *e).collect::<BTreeSet<_>>() {
            self.outputs.push_back(Output::Read(e));
        }
        let first_look = check.asked_at.mono + limits::CHECK_ANSWER_MAX;
        self.checks.push((check, first_look));
    }

    /// Decides a write to equipment. The order is sent when its event is on disk.
    fn decide_write(&mut self, now: Now, by: &Author, verb: &WriteVerb) -> Result<Decided, Refusal> {
        if !self.reads {
            return Err(Refusal::new(Rule::NeedsDaemon, "only a running daemon reaches the equipment")
                .command("start it", "andon daemon"));
        }
        let id = self.orders.next_id();
        let is_written = |equipment: &_, point: &_| self.orders.is_written(equipment, point);
        let (pending, event) = writing::decide(&self.site, &self.detector, now, id, is_written, verb)?;
        let answer = OnRecord::Order(Box::new(pending), by.clone());
        Ok(Decided { events: vec![event.into()], answer })
    }

    /// Records the result of an order. The reply follows when the event is on disk.
    pub(super) fn order_carried(&mut self, now: Now, id: OrderId, carried: &Carried) {
        let Some((pending, (token, by))) = self.orders.take(id) else { return };
        let (event, end) = writing::ended(&self.site, pending, carried);
        let origin = Origin::Asked(token, OnRecord::OrderEnded(Box::new(end)));
        self.emit(now, &by, vec![event.into()], origin, None);
    }

    /// Checks the rules of every command: the journal can be written, and the person has a name.
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

    /// Finds the ticket of a request.
    fn find<'a>(&'a self, ask: &'a TicketChange) -> Result<&'a Ticket, Refusal> {
        match &ask.target {
            Target::Number(number) => {
                self.state.tickets.live.get(number).or(ask.stored.as_ref()).map(Arc::as_ref).ok_or_else(
                    || {
                        Refusal::new(Rule::NoSuchTicket, format!("there is no ticket {number}"))
                            .command("list the tickets", "andon ticket list")
                    },
                )
            }
            Target::Equipment(id) => {
                self.site.known(id)?;
                self.state.tickets.only_live(id).map(Arc::as_ref)
            }
        }
    }
}
