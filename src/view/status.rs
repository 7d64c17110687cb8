//! The status of the whole gateway: journal, links, equipment, alarms, tickets.

use std::collections::BTreeMap;

use super::equipment::equipment_states;
use super::{Boards, alarms, damage, links, out_of_service, shelved};
use crate::desk::Snapshot;
use crate::store::StoreHealth;
use crate::v1::{JournalV1, StatusV1, StoreV1};
use crate::words::{Damage, Seq};

/// The parts of the status that are not in the snapshot of the desk.
#[derive(Debug)]
pub struct Around<'a> {
    /// True if a daemon is running.
    pub daemon: bool,
    /// The boards of the links.
    pub boards: Boards,
    /// The health of the ticket database.
    pub store: StoreHealth,
    /// The number of the last event that the ticket database contains.
    pub stored: Seq,
    /// The number of the last event in the journal.
    pub recorded: Seq,
    /// The reason why readings are not recorded now (`None` if they are), and the number of readings lost so far.
    pub recorder: (Option<String>, u64),
    /// The damaged parts of the journal that were found when it was opened.
    pub found: &'a [Damage],
}

/// Returns the status of the gateway.
#[must_use]
pub fn status(desk: &Snapshot, around: &Around<'_>) -> StatusV1 {
    let mut tickets: BTreeMap<String, usize> = BTreeMap::new();
    for t in desk.state.tickets.live.values().filter(|t| t.state.is_live()) {
        *tickets.entry(t.state.word().to_owned()).or_default() += 1;
    }
    let mut damage = damage(desk, around.found);
    damage.retain(|d| d.accepted_by.is_none());
    StatusV1 {
        gateway: desk.site.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        daemon: around.daemon,
        now: desk.at.wall,
        journal: JournalV1 {
            seq: desk.state.seq,
            writable: desk.not_writable.is_none(),
            message: desk.not_writable.clone().unwrap_or_default(),
            changes_dropped: desk.changes_dropped,
            not_recordable: desk.not_recordable,
        },
        store: store(around),
        damage,
        recorder_message: recorder(&around.recorder),
        links: links(&desk.site, &around.boards, desk.at),
        equipment: equipment_states(desk, &around.boards),
        alarms: alarms(desk),
        shelved: shelved(desk),
        out_of_service: out_of_service(desk),
        tickets,
    }
}

fn store(around: &Around<'_>) -> StoreV1 {
    let seq = around.stored;
    let behind = around.recorded.0.saturating_sub(seq.0);
    let (state, message) = match &around.store {
        StoreHealth::Ready if behind == 0 => ("ready", ""),
        StoreHealth::Ready => ("behind", ""),
        StoreHealth::Rebuilding(how) => ("rebuilding", how.as_str()),
        StoreHealth::WaitsForRoom(why) => ("waits-for-room", why.as_str()),
        StoreHealth::Away(why) => ("away", why.as_str()),
    };
    StoreV1 { state: state.to_owned(), seq, behind, message: message.to_owned() }
}

fn recorder(trouble: &(Option<String>, u64)) -> String {
    match trouble {
        (None, 0) => String::new(),
        (None, dropped) => {
            format!("{dropped} readings were not recorded so far: the disk was too slow or not available")
        }
        (Some(why), dropped) => format!("readings are not recorded ({dropped} so far): {why}"),
    }
}
