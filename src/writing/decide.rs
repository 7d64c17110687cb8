//! Decides a verb: the result is an order, or a refusal. Also decides the end of an order from the link's result.

use super::{Carried, Order, OrderId, Pending, WriteEvent, WriteVerb, Wrote};
use crate::detect::Detector;
use crate::profile::{Point, WriteProblem, decode, to_write};
use crate::site::Site;
use crate::words::{
    EquipmentId, EquipmentIndex, Now, PointIndex, PointName, Refusal, Rule, Value, reason_of,
};

/// Decides a verb. Returns the order with this id, and the event that must be recorded before the order is sent.
/// `is_written` tells whether a write to a point is under way.
///
/// # Errors
/// If the reason is missing, the point does not exist, a write to it is under way, or the profile does not
/// allow the write.
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
            .command("list its points", format!("andon equipment show {}", equipment.id)));
    };
    if is_written(&equipment.id, &point.name) {
        let text = format!("a write to {} of {} is under way", point.name, equipment.id);
        return Err(Refusal::new(Rule::WriteUnderWay, text).remedy("wait until it has ended"));
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
            .remedy("allow it in the profile: writable = { min = .., max = .. }"),
        WriteProblem::OutOfBounds { .. } => Refusal::new(Rule::OutOfBounds, text)
            .remedy("use a value within the bounds; they are in the profile"),
        WriteProblem::NoValue(_) | WriteProblem::Rounded(_) => Refusal::new(Rule::BadValue, text)
            .command("show the present value", format!("andon why {id} {}", point.name)),
    }
}

/// Decides the end of an order from the link's result: the event to record, and the answer to the person once the
/// event is recorded.
pub fn ended(site: &Site, pending: Pending, carried: &Carried) -> (WriteEvent, Result<Wrote, Refusal>) {
    let Pending { order, wrote } = pending;
    let found = site.find(order.equipment.as_str());
    let point = found.and_then(|(_, e)| e.profile.point(order.point.as_str())).map(|(_, p)| p);
    let message = match &carried.read_back {
        Err(why) => Some(format!("the value could not be read back: {why}")),
        Ok(words) if *words != order.words => {
            let read = point
                .filter(|p| p.scale_from.is_none())
                .and_then(|p| Some(p.text_of(&decode(p, words, None).ok()?)));
            let shown = read.unwrap_or_else(|| format!("registers {words:04X?}"));
            Some(format!("the device returns {shown}"))
        }
        // Only the value in the device counts: if the confirmation was lost but the value reads back, the write
        // succeeded.
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
