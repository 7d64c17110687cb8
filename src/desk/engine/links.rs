//! A link that is away is one fault, of the link: one ticket that lists what is behind it. Alarms of equipment behind it
//! are its consequences, and are raised after all if they outlive its return (`held`).

use std::collections::BTreeMap;

use super::{Change, Desk};
use crate::alarm::{AlarmEvent, Key};
use crate::desk::rooms::Event;
use crate::limits;
use crate::ticket::{TicketOpening, TicketOrigin};
use crate::words::{EquipmentId, FaultName, LinkName, Mono, Now, Severity, shortened};

/// A link that is away.
#[derive(Debug, Clone)]
pub(super) struct Away {
    since: Now,
    /// In the link's own sentence.
    why: String,
    /// Whether its alarm was raised.
    is_raised: bool,
}

impl Desk {
    /// A link was opened, or is away.
    pub(super) fn link_news(&mut self, now: Now, link: LinkName, away: Option<String>) {
        // A single command that opens a link to ask something watches nothing.
        if !self.reads {
            return;
        }
        // Whatever depends on it may be held back, or no longer.
        self.released_at = None;
        match away {
            Some(why) => {
                let fresh = Away { since: now, why: String::new(), is_raised: false };
                self.away.entry(link).or_insert(fresh).why = why;
            }
            None => {
                if self.away.remove(&link).is_some_and(|a| a.is_raised) {
                    self.machine(now, Change::LinkBack(link));
                }
            }
        }
    }

    /// Raises the alarms of links that have been away for long enough.
    pub(super) fn raise_links(&mut self, now: Now) {
        let due: Vec<LinkName> =
            self.unraised().filter(|(_, at)| *at <= now.mono).map(|(l, _)| l.clone()).collect();
        for link in due {
            let Some(away) = self.away.get_mut(&link) else { continue };
            away.is_raised = true;
            let (why, since) = (away.why.clone(), away.since);
            let id = self.site.id_of_link(&link);
            self.machine(now, Change::LinkAway(link, why, since));
            // What was held back before the ticket was there is told on it now.
            let held: Vec<(Key, crate::words::Wall)> = self
                .held()
                .filter(|(key, _)| self.hidden(key).is_some_and(|h| h.is_behind(&id)))
                .filter_map(|(key, held)| Some((key.clone(), held.came()?.0)))
                .collect();
            for (key, onset) in held {
                self.machine(now, Change::Consequence(id.clone(), key, onset));
            }
        }
    }

    /// Links whose alarm is to be raised, and when.
    fn unraised(&self) -> impl Iterator<Item = (&LinkName, Mono)> {
        let waiting = self.away.iter().filter(|(_, a)| !a.is_raised);
        waiting
            .filter(|(link, _)| {
                let key = (self.site.id_of_link(link), FaultName::link_away());
                self.site.concerns(link) && self.hidden(&key).is_none()
            })
            .map(|(link, a)| (link, a.since.mono + limits::LINK_AWAY_AFTER))
    }

    /// Whether this is a link that is away and whose alarm is not raised yet: its ticket then tells the consequences.
    pub(super) fn is_link_to_be_raised(&self, id: &EquipmentId) -> bool {
        let link = self.site.link_of_id(id).map(|l| &l.name);
        link.and_then(|l| self.away.get(l)).is_some_and(|a| !a.is_raised)
    }

    /// When the alarm of a link is to be raised.
    pub(super) fn next_link(&self) -> Option<Mono> {
        self.unraised().map(|(_, at)| at).min()
    }

    /// Takes up the alarm of a link that stood before a restart or a reload. Returns whether the link is still known.
    pub(super) fn restore_link(&mut self, id: &EquipmentId, fault: &FaultName, now: Now) -> bool {
        if *fault != FaultName::link_away() {
            return false;
        }
        let Some(link) = self.site.link_of_id(id).map(|l| l.name.clone()) else { return false };
        let stood = Away { since: now, why: "not opened yet".to_owned(), is_raised: true };
        self.away.entry(link).or_insert(stood).is_raised = true;
        true
    }

    /// Links that are no longer configured are not away.
    pub(super) fn forget_links(&mut self) {
        let site = self.site.clone();
        self.away.retain(|link, _| site.links.iter().any(|l| l.name == *link));
    }

    pub(super) fn link_raised(&self, link: &LinkName, why: &str, since: Now) -> Vec<Event> {
        let (id, fault) = (self.site.id_of_link(link), FaultName::link_away());
        let severity = Severity::Major;
        let values = BTreeMap::new();
        let raised = Event::Alarm(AlarmEvent::Raised {
            equipment: id.clone(),
            fault: fault.clone(),
            severity,
            onset: since.wall,
            latch: false,
            values: values.clone(),
            first_up: None,
        });
        let summary = format!("Link {link} is away: {why}. {}", self.site.behind_text(link));
        let ticket = self.on_ticket(&id, &fault, since.wall, &values, |number| TicketOpening {
            number,
            equipment: id.clone(),
            fault: fault.clone(),
            origin: TicketOrigin::Fault,
            severity,
            summary: shortened(&summary, limits::PROSE_BYTES_MAX).into_owned(),
            code: None,
            onset: since.wall,
            values: values.clone(),
            profile: String::new(),
            profile_sha256: String::new(),
            firmware_notes: Vec::new(),
            firmware: None,
            first_up: None,
        });
        vec![raised, Event::Ticket(ticket)]
    }
}
