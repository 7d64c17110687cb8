//! What suppresses an alarm: its equipment is out of service, it is shelved, or something that it depends on is down.

use std::collections::{BTreeMap, BTreeSet};

use super::links::Away;
use crate::alarm::{Alarm, AlarmState, Key};
use crate::desk::state::State;
use crate::site::Site;
use crate::words::{EquipmentId, FaultName, LinkName, Severity};

/// Why an alarm is suppressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    /// Its state in the words of ISA-18.2.
    pub state: AlarmState,
    /// The reason, as a sentence.
    pub why: String,
    /// The equipment or link that is down; `None` when a person suppressed the alarm.
    pub(super) upstream: Option<EquipmentId>,
}

impl Hidden {
    /// Whether the alarm is a consequence of this being down.
    pub(super) fn is_behind(&self, upstream: &EquipmentId) -> bool {
        self.upstream.as_ref() == Some(upstream)
    }
}

/// What the suppression of alarms depends on. The desk decides by its decided state, a snapshot tells by the recorded one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Suppression<'a> {
    pub site: &'a Site,
    pub state: &'a State,
    pub away: &'a BTreeMap<LinkName, Away>,
}

impl Suppression<'_> {
    /// Why the alarm of this fault is suppressed; `None` if it is not.
    pub(super) fn of(self, key: &Key) -> Option<Hidden> {
        let (equipment, _) = key;
        if let Some(out) = self.state.service.out.get(equipment) {
            let why = format!("out of service by {}: {}", out.by, out.reason);
            return Some(Hidden { state: AlarmState::OutOfService, why, upstream: None });
        }
        // Its end is an event: whatever the wall clock says, until then it is shelved.
        if let Some(shelf) = self.state.alarms.shelves.get(key) {
            let why = format!("shelved until {} by {}: {}", shelf.until, shelf.by, shelf.reason);
            return Some(Hidden { state: AlarmState::Shelved, why, upstream: None });
        }
        if let Some(link) = self.away_link(key) {
            let why = format!("link {link}, which leads to it, is away");
            let upstream = Some(self.site.id_of_link(link));
            return Some(Hidden { state: AlarmState::SuppressedByDesign, why, upstream });
        }
        // A link depends on nothing.
        self.site.find(equipment.as_str())?;
        let upstream = self.down_upstream(equipment, &mut BTreeSet::new())?;
        let why = match self.site.link_of_id(&upstream) {
            Some(link) => format!("link {} is away, on which it depends", link.name),
            None => format!("{upstream} is down, on which it depends"),
        };
        Some(Hidden { state: AlarmState::SuppressedByDesign, why, upstream: Some(upstream) })
    }

    /// The equipment or link upstream that is down, the furthest one where several are.
    fn down_upstream(self, of: &EquipmentId, seen: &mut BTreeSet<EquipmentId>) -> Option<EquipmentId> {
        let Some((_, equipment)) = self.site.find(of.as_str()) else {
            let link = &self.site.link_of_id(of)?.name;
            return self.is_link_down(link).then(|| of.clone());
        };
        if let Some(link) = self.site.links.get(equipment.link).filter(|l| self.is_link_down(&l.name)) {
            return Some(self.site.id_of_link(&link.name));
        }
        for name in &equipment.depends_on {
            let Some(upstream) = self.site.id_upstream(name) else { continue };
            if !seen.insert(upstream.clone()) {
                continue;
            }
            let further = self.down_upstream(&upstream, seen);
            if further.is_some() || self.is_down(&upstream) {
                return further.or(Some(upstream));
            }
        }
        None
    }

    /// Equipment is down while it does not answer or a critical alarm of it stands.
    fn is_down(self, equipment: &EquipmentId) -> bool {
        let mut own = self.state.alarms.active().filter(|(_, a)| a.equipment == *equipment);
        own.any(|(_, a)| a.severity == Severity::Critical || a.fault == FaultName::communication_lost())
    }

    /// The link behind which equipment is, where that link is away and this fault is a consequence of it: the loss of
    /// communication at once, everything else while the link's own alarm stands.
    fn away_link(&self, (equipment, fault): &Key) -> Option<&LinkName> {
        let (_, e) = self.site.find(equipment.as_str())?;
        let link = &self.site.links.get(e.link)?.name;
        let is_lost = *fault == FaultName::communication_lost() && self.away.contains_key(link);
        (is_lost || self.is_link_down(link)).then_some(link)
    }

    /// Whether the alarm of a link stands.
    fn is_link_down(self, link: &LinkName) -> bool {
        let key = (self.site.id_of_link(link), FaultName::link_away());
        self.state.alarms.standing.get(&key).is_some_and(Alarm::is_active)
    }
}
