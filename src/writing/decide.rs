//! What a verb comes to: an order, or a refusal; and what an order that was carried out comes to.

use super::{Carried, Order, OrderId, Pending, WriteEvent, WriteVerb, Wrote};
use crate::detect::Detector;
use crate::profile::{Point, WriteProblem, decode, to_write};
use crate::site::Site;
use crate::words::{
    EquipmentId, EquipmentIndex, Now, PointIndex, PointName, Refusal, Rule, Value, reason_of,
};

/// Decides a verb: the order under this name, and the event that is recorded before the order is sent. `is_written` says
/// whether a point is being written.
///
/// # Errors
/// When the reason is missing, there is no such point, the point is being written, or the profile does not allow it.
pub fn decide(
    site: &Site,
    detector: &Detector,
    now: Now,
    id: OrderId,
    is_written: impl Fn(&EquipmentId, &PointName) -> bool,
    verb: &WriteVerb,
) -> Result<(Pending, WriteEvent), Refusal> {
    let reason = reason_of(&verb.reason)?;
    let (index, equipment) = site.known(&verb.equipment)?;
    let Some((at, point)) = equipment.profile.point(&verb.point) else {
        let text = format!("{} has no point {}", equipment.id, verb.point);
        return Err(Refusal::new(Rule::NoSuchPointOrFault, text)
            .command("see which it has", format!("andon equipment show {}", equipment.id)));
    };
    if is_written(&equipment.id, &point.name) {
        let text = format!("{} of {} is being written", point.name, equipment.id);
        return Err(Refusal::new(Rule::WriteUnderWay, text).remedy("wait for its end"));
    }
    let value_of = |point: PointIndex| value(detector, now, index, point);
    let factor = point.scale_from.and_then(|f| match value_of(PointIndex(f)) {
        Some(Value::Integer(i)) => i16::try_from(i).ok().map(i16::cast_unsigned),
        _ => None,
    });
    let (value, words) = to_write(point, &verb.value, factor)
        .map_err(|problem| not_written(&equipment.id, point, &problem))?;
    let order = Order { id, equipment: equipment.id.clone(), point: point.name.clone(), words };
    let wrote = Wrote {
        equipment: equipment.id.clone(),
        point: point.name.clone(),
        value: point.text_of(&value),
        before: value_of(at).map(|v| point.text_of(&v)),
    };
    let event = WriteEvent::Ordered {
        equipment: wrote.equipment.clone(),
        point: wrote.point.clone(),
        value: wrote.value.clone(),
        before: wrote.before.clone(),
        registers: order.words.clone(),
        reason,
    };
    Ok((Pending { order, wrote }, event))
}

fn value(detector: &Detector, now: Now, equipment: EquipmentIndex, point: PointIndex) -> Option<Value> {
    detector.point_state(equipment, point, now)?.value
}

fn not_written(id: &EquipmentId, point: &Point, problem: &WriteProblem) -> Refusal {
    let text = format!("{} of {id} is not written: {problem}", point.name);
    match problem {
        WriteProblem::NotWritable => Refusal::new(Rule::NotWritable, text)
            .remedy("writing is allowed in the profile: writable = { min = .., max = .. }"),
        WriteProblem::OutOfBounds { .. } => Refusal::new(Rule::OutOfBounds, text)
            .remedy("the bounds stand in the profile, as the maker or the process sets them"),
        WriteProblem::NoValue(_) | WriteProblem::Rounded(_) => Refusal::new(Rule::BadValue, text)
            .command("see what it is", format!("andon why {id} {}", point.name)),
    }
}

/// What an order that was carried out comes to: the event to record, and the answer once it is on record.
pub fn ended(site: &Site, pending: Pending, carried: &Carried) -> (WriteEvent, Result<Wrote, Refusal>) {
    let Pending { order, wrote } = pending;
    let found = site.find(order.equipment.as_str());
    let point = found.and_then(|(_, e)| e.profile.point(order.point.as_str())).map(|(_, p)| p);
    let message = match &carried.read_back {
        Err(why) => Some(format!("it could not be read back: {why}")),
        Ok(words) if *words != order.words => {
            let read = point
                .filter(|p| p.scale_from.is_none())
                .and_then(|p| Some(p.text_of(&decode(p, words, None).ok()?)));
            let shown = read.unwrap_or_else(|| format!("registers {words:04X?}"));
            Some(format!("it reads back as {shown}"))
        }
        // What counts is what the device holds: a lost answer to a write that was done is no failure.
        Ok(_) => None,
    };
    let message = match (&carried.answer, message) {
        (Err(why), Some(message)) => Some(format!("{why}; {message}")),
        (_, message) => message,
    };
    let (equipment, point) = (order.equipment, order.point);
    let Some(message) = message else {
        return (WriteEvent::Done { equipment, point, value: wrote.value.clone() }, Ok(wrote));
    };
    let text = format!(
        "the write is not confirmed: {point} of {equipment} should be {}, but {message}",
        wrote.value
    );
    let refusal = Refusal::new(Rule::WriteUnconfirmed, text)
        .command("read the value", format!("andon equipment read {equipment}"));
    (WriteEvent::Failed { equipment, point, value: wrote.value, message }, Err(refusal))
}
