//! An order to write: decided, made durable, sent, and its end recorded with what was read back.

use super::{Desk, Origin};
use crate::desk::command::{Done, Output, Token};
use crate::desk::event::{EquipmentEvent, Event};
use crate::desk::writing::{Carried, Order, OrderId, WriteAsk, Wrote};
use crate::limits;
use crate::profile::{WriteProblem, decode, to_write};
use crate::words::{Author, EquipmentIndex, Now, PointIndex, Refusal, Rule, Value};

/// An order under way.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    pub(super) token: Token,
    by: Author,
    order: Order,
    wrote: Wrote,
}

impl Desk {
    pub(super) fn write_asked(&mut self, now: Now, token: Token, ask: &WriteAsk) {
        match self.decide_write(now, token, ask) {
            Ok(pending) => {
                let event = EquipmentEvent::WriteOrdered {
                    equipment: pending.wrote.equipment.clone(),
                    point: pending.wrote.point.clone(),
                    value: pending.wrote.value.clone(),
                    before: pending.wrote.before.clone(),
                    registers: pending.order.words.clone(),
                    reason: ask.reason.trim().to_owned(),
                };
                self.emit(
                    now,
                    &ask.by,
                    vec![Event::Equipment(event)],
                    Origin::Order(Box::new(pending)),
                    None,
                );
            }
            Err(refusal) => self.outputs.push_back(Output::Reply(token, Box::new(Err(refusal)))),
        }
    }

    fn decide_write(&mut self, now: Now, token: Token, ask: &WriteAsk) -> Result<Pending, Refusal> {
        self.check_asker(&ask.by)?;
        if !self.reads {
            return Err(Refusal::new(Rule::NeedsDaemon, "only a running daemon reaches the equipment")
                .command("start it", "andon daemon"));
        }
        let reason = ask.reason.trim();
        if reason.is_empty() || reason.len() > limits::TEXT_BYTES_MAX {
            return Err(Refusal::new(Rule::BadText, "a write needs a reason of one to 8192 bytes")
                .remedy("say why: --reason TEXT"));
        }
        let id = &ask.equipment;
        let Some((index, equipment)) = self.site.find(id) else {
            return Err(Refusal::new(Rule::NoSuchEquipment, format!("equipment {id} is not in andon.toml"))
                .command("list the equipment", "andon equipment list"));
        };
        let Some((at, point)) = equipment.profile.point(&ask.point) else {
            return Err(Refusal::new(Rule::NoSuchPointOrFault, format!("{id} has no point {}", ask.point))
                .command("see which it has", format!("andon equipment show {id}")));
        };
        if self.orders.values().any(|p| p.wrote.equipment == equipment.id && p.wrote.point == point.name) {
            return Err(Refusal::new(
                Rule::WriteUnderWay,
                format!("{} of {id} is being written", point.name),
            )
            .remedy("wait for its end"));
        }
        let factor = point.scale_from.and_then(|f| match self.value(now, index, PointIndex(f)) {
            Some(Value::Integer(i)) => i16::try_from(i).ok().map(i16::cast_unsigned),
            _ => None,
        });
        let (value, words) = to_write(point, &ask.value, factor).map_err(|problem| {
            let text = format!("{} of {id} is not written: {problem}", point.name);
            match problem {
                WriteProblem::NotWritable => Refusal::new(Rule::NotWritable, text)
                    .remedy("writing is allowed in the profile: writable = { min = .., max = .. }"),
                WriteProblem::OutOfBounds { .. } => Refusal::new(Rule::OutOfBounds, text)
                    .remedy("the bounds stand in the profile, as the maker or the process sets them"),
                WriteProblem::NoValue(_) | WriteProblem::Rounded(_) => Refusal::new(Rule::BadValue, text)
                    .command("see what it is", format!("andon why {id} {}", point.name)),
            }
        })?;
        self.last_order += 1;
        let order = Order {
            id: OrderId(self.last_order),
            equipment: equipment.id.clone(),
            point: point.name.clone(),
            words,
        };
        let wrote = Wrote {
            equipment: equipment.id.clone(),
            point: point.name.clone(),
            value: point.text_of(&value),
            before: self.value(now, index, at).map(|v| point.text_of(&v)),
        };
        Ok(Pending { token, by: ask.by.clone(), order, wrote })
    }

    fn value(&self, now: Now, equipment: EquipmentIndex, point: PointIndex) -> Option<Value> {
        self.detector.point_state(equipment, point, now)?.value
    }

    /// It is on record that it is to be written: now it may be sent.
    pub(super) fn send_order(&mut self, pending: Pending) {
        self.outputs.push_back(Output::Order(pending.order.clone()));
        self.orders.insert(pending.order.id, pending);
    }

    /// What became of it is recorded, then told.
    pub(super) fn order_carried(&mut self, now: Now, id: OrderId, carried: Carried) {
        let Some(pending) = self.orders.remove(&id) else { return };
        let Pending { token, by, order, wrote } = pending;
        let found = self.site.find(order.equipment.as_str());
        let point = found.and_then(|(_, e)| e.profile.point(order.point.as_str())).map(|(_, p)| p);
        let message = match (&carried.answer, &carried.read_back) {
            (_, Err(why)) => Some(format!("it could not be read back: {why}")),
            (_, Ok(words)) if *words != order.words => {
                let read = point
                    .filter(|p| p.scale_from.is_none())
                    .and_then(|p| Some(p.text_of(&decode(p, words, None).ok()?)));
                let shown = read.unwrap_or_else(|| format!("registers {words:04X?}"));
                Some(format!("it reads back as {shown}"))
            }
            (Ok(()), Ok(_)) => None,
            // What counts is what the device holds: a lost answer to a write that was done is no failure.
            (Err(_), Ok(_)) => None,
        };
        let message = match (&carried.answer, message) {
            (Err(why), Some(message)) => Some(format!("{why}; {message}")),
            (_, message) => message,
        };
        let (equipment, point) = (order.equipment.clone(), order.point.clone());
        let (event, reply) = match message {
            None => (
                EquipmentEvent::Written { equipment, point, value: wrote.value.clone() },
                Ok(Done::Wrote(Box::new(wrote))),
            ),
            Some(message) => {
                let refusal = Refusal::new(
                    Rule::WriteUnconfirmed,
                    format!(
                        "the write is not confirmed: {point} of {equipment} should be {}, but {message}",
                        wrote.value
                    ),
                )
                .command("read the value", format!("andon equipment read {equipment}"));
                (EquipmentEvent::WriteFailed { equipment, point, value: wrote.value, message }, Err(refusal))
            }
        };
        let origin = Origin::OrderEnd(token, Box::new(reply));
        self.emit(now, &by, vec![Event::Equipment(event)], origin, None);
    }
}
