//! The reasons to suppress an alarm: its equipment is out of service, a person shelved the alarm, or equipment or a link upstream is down.

use std::collections::{BTreeMap, BTreeSet};

use super::links::Away;
use crate::alarm::{Alarm, AlarmState, Key};
use crate::desk::state::State;
use crate::site::Site;
use crate::words::{EquipmentId, FaultName, LinkName, Severity};

/// The suppression of an alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// The kind of suppression, as a state of ISA-18.2.
    pub state: AlarmState,
    /// The reason, as a sentence.
    pub why: String,
    /// The equipment or link that is down; `None` when a person suppressed the alarm.
    pub(super) upstream: Option<EquipmentId>,
}

impl Suppression {
    /// True if the alarm is suppressed because this equipment or link is down.
    pub(super) fn is_behind(&self, upstream: &EquipmentId) -> bool {
        self.upstream.as_ref() == Some(upstream)
    }
}

/// The facts that decide about suppression. The desk uses its decided state, and a snapshot uses the state on disk.
#[derive(Debug, Clone, Copy)]
pub(super) struct SuppressionRules<'a> {
    pub site: &'a Site,
    pub state: &'a State,
    pub away: &'a BTreeMap<LinkName, Away>,
}

impl SuppressionRules<'_> {
    /// Returns why the alarm of this fault is suppressed; `None` if it is not.
    pub(super) fn of(self, key: &Key) -> Option<Suppression> {
        let (equipment, _) = key;
        if let Some(out) = self.state.service.out.get(equipment) {
            let why = format!("out of service by {}: {}", out.by, out.reason);
            return Some(Suppression { state: AlarmState::OutOfService, why, upstream: None });
        }
        // An event ends shelving. Until then the alarm is shelved, whatever the wall clock says.
        if let Some(shelf) = self.state.alarms.shelves.get(key) {
            let why = format!("shelved until {} by {}: {}", shelf.until, shelf.by, shelf.reason);
            return Some(Suppression { state: AlarmState::Shelved, why, upstream: None });
        }
        if let Some(link) = self.away_link(key) {
            let why = format!("link {link} of this equipment has no connection");
            let upstream = Some(self.site.id_of_link(link));
            return Some(Suppression { state: AlarmState::SuppressedByDesign, why, upstream });
        }
        // The id of a link is not found here: a link depends on nothing.
        self.site.find(equipment.as_str())?;
        let upstream = self.down_upstream(equipment, &mut BTreeSet::new())?;
        let why = match self.site.link_of_id(&upstream) {
            Some(link) => format!("this equipment depends on link {}, which has no connection", link.name),
            None => format!("this equipment depends on {upstream}, which is down"),
        };
        Some(Suppression { state: AlarmState::SuppressedByDesign, why, upstream: Some(upstream) })
    }

    /// Returns the equipment or link upstream that is down. If several are down, the result is the one farthest upstream.
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

    /// True if communication with the equipment is lost, or a critical alarm of the equipment is active.
    fn is_down(self, equipment: &EquipmentId) -> bool {
        let mut own = self.state.alarms.active().filter(|(_, a)| a.equipment == *equipment);
        own.any(|(_, a)| a.severity == Severity::Critical || a.fault == FaultName::communication_lost())
    }

    /// Returns the link of the equipment if the link has no connection and this fault is a consequence of that.
    /// `communication-lost` is a consequence at once, every other fault only while the alarm of the link is active.
    fn away_link(&self, (equipment, fault): &Key) -> Option<&LinkName> {
        let (_, e) = self.site.find(equipment.as_str())?;
        let link = &self.site.links.get(e.link)?.name;
        let is_lost = *fault == FaultName::communication_lost() && self.away.contains_key(link);
        (is_lost || self.is_link_down(link)).then_some(link)
    }

    /// True if the alarm of the link is active.
    fn is_link_down(self, link: &LinkName) -> bool {
        let key = (self.site.id_of_link(link), FaultName::link_away());
        self.state.alarms.standing.get(&key).is_some_and(Alarm::is_active)
    }
}
