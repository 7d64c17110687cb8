//! Alarms, suppressed and shelved alarms, and equipment that is out of service.

use crate::alarm::{Alarm, AlarmState, Key, Shelf};
use crate::desk::Snapshot;
use crate::detect::TransitionKind;
use crate::v1::{AlarmV1, OutOfServiceV1, ShelvedV1};

/// Returns the alarms and the suppressed conditions, worst first. Alarms of a burst follow their first-out alarm.
#[must_use]
pub fn alarms(desk: &Snapshot) -> Vec<AlarmV1> {
    let standing = desk.state.alarms.standing.iter().map(|(key, a)| standing_row(desk, key, a));
    let suppressed = desk.suppressed.iter().filter_map(|s| {
        let suppression = desk.suppression(&s.key)?;
        let (equipment, fault) = &s.key;
        let (_, e) = desk.site.find(equipment.as_str())?;
        Some(AlarmV1 {
            equipment: equipment.to_string(),
            fault: fault.to_string(),
            severity: e.profile.fault(fault.as_str())?.severity,
            state: suppression.state,
            onset: s.onset,
            raised_at: s.raised_at,
            first_up: None,
            note: suppression.why,
            recorded: true,
        })
    });
    let raised = desk.unrecorded.iter().filter(|u| u.kind == TransitionKind::Raised);
    let unrecorded = raised.map(|u| AlarmV1 {
        equipment: u.key.0.to_string(),
        fault: u.key.1.to_string(),
        severity: u.severity,
        state: AlarmState::Unacknowledged,
        onset: u.onset,
        raised_at: u.at,
        first_up: None,
        note: "not recorded yet: the journal cannot be written".to_owned(),
        recorded: false,
    });
    let mut rows: Vec<AlarmV1> = standing.chain(suppressed).chain(unrecorded).collect();
    rows.sort_by_key(|a| (a.severity, a.raised_at));
    let (mut firsts, followers): (Vec<AlarmV1>, Vec<AlarmV1>) =
        rows.into_iter().partition(|a| a.first_up.is_none());
    for follower in followers.into_iter().rev() {
        let first = |a: &AlarmV1| follower.first_up.as_ref() == Some(&format!("{} {}", a.equipment, a.fault));
        // If the first-out alarm has cleared, the alarm goes to the end of the list.
        let place = firsts.iter().position(first).map_or(firsts.len(), |at| at + 1);
        firsts.insert(place, follower);
    }
    firsts
}

fn standing_row(desk: &Snapshot, key: &Key, a: &Alarm) -> AlarmV1 {
    let suppression = desk.suppression(key);
    let is_cleared = desk.unrecorded.iter().any(|u| u.kind == TransitionKind::Cleared && u.key == *key);
    let cleared = is_cleared.then(|| "the condition is false now; this is not recorded yet".to_owned());
    let chatters = a.chattering.map(|n| match n {
        0 => "chatters: andon counts the repeats".to_owned(),
        n => format!("chatters: {n} repeats so far"),
    });
    let note = [chatters, cleared, suppression.as_ref().map(|h| h.why.clone())];
    AlarmV1 {
        equipment: a.equipment.to_string(),
        fault: a.fault.to_string(),
        severity: a.severity,
        state: suppression.map_or(a.state, |h| h.state),
        onset: a.onset,
        raised_at: a.raised_at,
        first_up: a.first_up.as_ref().map(ToString::to_string),
        note: note.into_iter().flatten().collect::<Vec<_>>().join("; "),
        recorded: true,
    }
}

/// Returns the shelved alarms, whether their conditions are true or not.
#[must_use]
pub fn shelved(desk: &Snapshot) -> Vec<ShelvedV1> {
    let row = |((equipment, fault), s): (&Key, &Shelf)| ShelvedV1 {
        equipment: equipment.to_string(),
        fault: fault.to_string(),
        until: s.until,
        by: s.by.clone(),
        reason: s.reason.clone(),
    };
    desk.state.alarms.shelves.iter().map(row).collect()
}

/// Returns the equipment that is out of service.
#[must_use]
pub fn out_of_service(desk: &Snapshot) -> Vec<OutOfServiceV1> {
    let out = desk.state.service.out.iter();
    out.map(|(id, o)| OutOfServiceV1 {
        equipment: id.to_string(),
        since: o.since,
        by: o.by.clone(),
        reason: o.reason.clone(),
    })
    .collect()
}
