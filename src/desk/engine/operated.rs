//! Operations: shelving, service, learning anew. Each is an event with a person and a reason.

use super::{Desk, Origin};
use crate::alarm::AlarmEvent;
use crate::desk::command::{Done, Output, Token};
use crate::desk::event::{EquipmentEvent, Event};
use crate::desk::operation::{Operation, OperationAsk};
use crate::detect::BaselineEvent;
use crate::limits;
use crate::profile::Trigger;
use crate::site::Equipment;
use crate::words::{EquipmentId, FaultName, Now, Refusal, Rule, render_duration};

impl Desk {
    pub(super) fn operated(&mut self, now: Now, token: Token, ask: &OperationAsk) {
        match self.decide_operation(now, ask) {
            Ok((event, told)) => {
                self.emit(now, &ask.by, vec![event], Origin::Operation(token, told), None);
            }
            Err(refusal) => self.outputs.push_back(Output::Reply(token, Box::new(Err(refusal)))),
        }
    }

    fn decide_operation(&self, now: Now, ask: &OperationAsk) -> Result<(Event, String), Refusal> {
        self.check_asker(&ask.by)?;
        let id = &ask.equipment;
        let (equipment, on) = self.operated_on(ask)?;
        let reason = ask.reason.trim().to_owned();
        if reason.is_empty() || reason.len() > limits::TEXT_BYTES_MAX {
            return Err(Refusal::new(Rule::BadText, "the command needs a reason of 1 to 8192 bytes")
                .remedy("say why: --reason TEXT"));
        }
        match &ask.operation {
            Operation::Shelve { fault, until } => {
                let fault = fault_of(on, fault)?;
                let longest = now.wall.after(limits::SHELF_MAX);
                if *until <= now.wall || *until > longest {
                    let most = render_duration(limits::SHELF_MAX);
                    let text = if *until <= now.wall {
                        format!("the end of shelving must be in the future, not {until}")
                    } else {
                        format!("shelving for more than {most} is not allowed")
                    };
                    return Err(Refusal::new(Rule::BadShelf, text)
                        .remedy("use a shorter time: --for 8h")
                        .command(
                            "for longer work, take the equipment out of service",
                            format!("andon equipment out-of-service {id} --reason TEXT"),
                        ));
                }
                let told = format!("{fault} of {equipment} is shelved until {until}");
                let event = AlarmEvent::Shelved { equipment, fault, until: *until, reason };
                Ok((Event::Alarm(event), told))
            }
            Operation::Unshelve { fault } => {
                let fault = fault_of(on, fault)?;
                let key = (equipment.clone(), fault.clone());
                if !self.state.shelves.contains_key(&key) {
                    return Err(Refusal::new(
                        Rule::NotShelved,
                        format!("{fault} of {equipment} is not shelved"),
                    )
                    .command("list the shelved alarms", "andon alarm list"));
                }
                let told = format!("{fault} of {equipment} is no longer shelved");
                Ok((self.unshelved(key, Some(reason)), told))
            }
            Operation::OutOfService => {
                if self.state.out_of_service.contains_key(&equipment) {
                    return Err(Refusal::new(Rule::WrongService, format!("{id} is out of service already"))
                        .command("return it", format!("andon equipment return {id} --reason TEXT")));
                }
                let told = format!("{equipment} is out of service: its alarms are suppressed");
                Ok((Event::Equipment(EquipmentEvent::OutOfService { equipment, reason }), told))
            }
            Operation::Return => {
                if !self.state.out_of_service.contains_key(&equipment) {
                    return Err(Refusal::new(Rule::WrongService, format!("{id} is in service")).command(
                        "take it out of service",
                        format!("andon equipment out-of-service {id} --reason TEXT"),
                    ));
                }
                let told = format!(
                    "{equipment} is back in service. andon now raises the alarms whose condition is true"
                );
                Ok((Event::Equipment(EquipmentEvent::ReturnedToService { equipment, reason }), told))
            }
            Operation::Relearn { fault } => {
                let fault = fault_of(on, fault)?;
                let profile = on.map(|e| &e.profile);
                let trigger = profile.and_then(|p| p.fault(fault.as_str())).map(|f| &f.trigger);
                let Some(Trigger::Excursion(baseline)) = trigger else {
                    let text = format!("fault {fault} of {equipment} is not a baseline");
                    return Err(Refusal::new(Rule::NoSuchPointOrFault, text)
                        .command("list the faults", format!("andon equipment show {equipment}")));
                };
                let told =
                    format!("andon learns {fault} of {equipment} again from {}", baseline.learn.text());
                let event = BaselineEvent::Forgotten { equipment, fault, reason };
                Ok((Event::Baseline(event), told))
            }
        }
    }

    /// The equipment of an operation; alarms of a link can be shelved as well.
    fn operated_on(&self, ask: &OperationAsk) -> Result<(EquipmentId, Option<&Equipment>), Refusal> {
        let id = &ask.equipment;
        if let Some((_, on)) = self.site.find(id) {
            return Ok((on.id.clone(), Some(on)));
        }
        let link = EquipmentId::parse(id).ok().filter(|id| self.site.link_of_id(id).is_some());
        match (&ask.operation, link) {
            (Operation::Shelve { .. } | Operation::Unshelve { .. }, Some(link)) => Ok((link, None)),
            _ => Err(Refusal::new(Rule::NoSuchEquipment, format!("equipment {id} is not in andon.toml"))
                .command("list the equipment", "andon equipment list")),
        }
    }

    pub(super) fn unshelved(&self, key: (EquipmentId, FaultName), reason: Option<String>) -> Event {
        let held_back = self.held.get(&key).map_or(0, |h| h.times);
        let (equipment, fault) = key;
        Event::Alarm(AlarmEvent::Unshelved { equipment, fault, reason, held_back })
    }

    pub(super) fn operation_done(&mut self, token: Token, told: String) {
        self.outputs.push_back(Output::Reply(token, Box::new(Ok(Done::Operated(told)))));
    }
}

fn fault_of(on: Option<&Equipment>, name: &str) -> Result<FaultName, Refusal> {
    let Some(on) = on else {
        let own = FaultName::link_away();
        return if own.as_str() == name {
            Ok(own)
        } else {
            let text = format!("a link has no fault {name}: its only fault is {own}");
            Err(Refusal::new(Rule::NoSuchPointOrFault, text).command("list the alarms", "andon alarm list"))
        };
    };
    on.profile.fault(name).map(|f| f.name.clone()).ok_or_else(|| {
        Refusal::new(Rule::NoSuchPointOrFault, format!("{} has no fault {name}", on.id))
            .command("see which it has", format!("andon profile show {}", on.profile.name))
    })
}
