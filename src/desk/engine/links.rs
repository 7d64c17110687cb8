//! A link that is *away* has no connection: one fault of the link, with one ticket that lists the equipment behind the link.
//! Alarms of this equipment are suppressed. If a condition is still true when the link is back, andon raises the alarm
//! (see `suppressed.rs`).

use std::collections::BTreeMap;

use super::{Change, Desk};
use crate::alarm::{AlarmEvent, Key};
use crate::desk::rooms::Event;
use crate::limits;
use crate::ticket::{TicketOpening, TicketOrigin};
use crate::words::{EquipmentId, FaultName, LinkName, Mono, Now, Severity, shortened};

/// A link without connection.
#[derive(Debug, Clone)]
pub(super) struct Away {
    since: Now,
    /// The reason that the link gave, as a sentence.
    why: String,
    /// True if the alarm of the link was raised.
    is_raised: bool,
}

impl Desk {
    /// Takes the news of a link: `away` is the reason why it has no connection, `None` if it was opened.
    pub(super) fn link_news(&mut self, now: Now, link: LinkName, away: Option<String>) {
        // A single command opens a link only for one request, and raises no alarms.
        if !self.reads {
            return;
        }
        // Equipment behind the link may be suppressed now, or no longer.
        self.released_seq = None;
        match away {
            Some(why) => {
                let fresh = Away { since: now, why: String::new(), is_raised: false };
                self.away.entry(link).or_insert(fresh).why = why;
            }
            None => {
                if self.away.remove(&link).is_some_and(|a| a.is_raised) {
                    self.machine_change(now, Change::LinkBack(link));
                }
            }
        }
    }

    /// Raises the alarm of each link that has had no connection for [`limits::LINK_AWAY_AFTER`].
    pub(super) fn raise_links(&mut self, now: Now) {
        let due: Vec<LinkName> =
            self.unraised().filter(|(_, at)| *at <= now.mono).map(|(l, _)| l.clone()).collect();
        for link in due {
            let Some(away) = self.away.get_mut(&link) else { continue };
            away.is_raised = true;
            let (why, since) = (away.why.clone(), away.since);
            let id = self.site.id_of_link(&link);
            self.machine_change(now, Change::LinkAway(link, why, since));
            // Alarms that were suppressed before the ticket was opened are noted on the ticket now.
            let suppressed: Vec<(Key, crate::words::Wall)> = self
                .suppressed()
                .filter(|(key, _)| self.suppression(key).is_some_and(|h| h.is_behind(&id)))
                .filter_map(|(key, condition)| Some((key.clone(), condition.alarm_times()?.0)))
                .collect();
            for (key, onset) in suppressed {
                self.machine_change(now, Change::Consequence(id.clone(), key, onset));
            }
        }
    }

    /// Returns the links whose alarm is not raised yet, each with the time at which it is raised.
    fn unraised(&self) -> impl Iterator<Item = (&LinkName, Mono)> {
        let waiting = self.away.iter().filter(|(_, a)| !a.is_raised);
        waiting
            .filter(|(link, _)| {
                let key = (self.site.id_of_link(link), FaultName::link_away());
                self.site.concerns(link) && self.suppression(&key).is_none()
            })
            .map(|(link, a)| (link, a.since.mono + limits::LINK_AWAY_AFTER))
    }

    /// True for a link without connection whose alarm is not raised yet. Its ticket will list the consequences.
    pub(super) fn is_link_to_be_raised(&self, id: &EquipmentId) -> bool {
        let link = self.site.link_of_id(id).map(|l| &l.name);
        link.and_then(|l| self.away.get(l)).is_some_and(|a| !a.is_raised)
    }

    /// Returns the time at which the next alarm of a link is raised.
    pub(super) fn next_link(&self) -> Option<Mono> {
        self.unraised().map(|(_, at)| at).min()
    }

    /// Restores the alarm of a link that was active before a restart or a reload. Returns false if the link is not configured.
    pub(super) fn restore_link(&mut self, id: &EquipmentId, fault: &FaultName, now: Now) -> bool {
        if *fault != FaultName::link_away() {
            return false;
        }
        let Some(link) = self.site.link_of_id(id).map(|l| l.name.clone()) else { return false };
        let stood = Away { since: now, why: "not opened yet".to_owned(), is_raised: true };
        self.away.entry(link).or_insert(stood).is_raised = true;
        true
    }

    /// Forgets the links that are no longer configured.
    pub(super) fn forget_links(&mut self) {
        let site = self.site.clone();
        self.away.retain(|link, _| site.links.iter().any(|l| l.name == *link));
    }

    /// Returns the events of a link without connection: its alarm, and its ticket.
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
        let summary = format!("Link {link} has no connection: {why}. {}", self.site.behind_text(link));
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
