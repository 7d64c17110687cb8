//! What is kept with a ticket: its trace, and the frames around its fault, cut from the link's ring a while after the ticket was opened.

use std::io;
use std::path::{Path, PathBuf};

use axum::extract::FromRef;
use tokio::sync::mpsc;

use super::log::Log;
use super::traces;
use crate::api::{Gateway, Served};
use crate::limits;
use crate::profile::to_pcap;
use crate::words::{EquipmentId, TicketNumber};

/// A ticket that was opened, and on what.
pub(super) type Opened = (TicketNumber, EquipmentId);

/// Keeps the frames and the trace of every ticket that is opened, until nobody opens any.
pub(super) async fn keep(mut opened: mpsc::Receiver<Opened>, served: Served, log: Log) {
    let mut cutting = tokio::task::JoinSet::new();
    cutting.spawn(traces::catch_up(served.clone(), log));
    while let Some((number, equipment)) = opened.recv().await {
        while cutting.try_join_next().is_some() {}
        cutting.spawn(traces::keep(served.clone(), number, log));
        let served = served.clone();
        cutting.spawn(async move {
            let from = Gateway::from_ref(&served).clock.now();
            tokio::time::sleep(limits::CAPTURE_AFTER).await;
            let gateway = Gateway::from_ref(&served);
            let found = gateway.site.find(equipment.as_str()).map(|(_, e)| e.link);
            let Some(board) = found.and_then(|link| gateway.boards.get(link)) else { return };
            let Some(kind) = found.and_then(|link| gateway.site.links.get(link)).map(|l| l.kind.wire())
            else {
                return;
            };
            let before = i64::try_from(limits::CAPTURE_BEFORE.as_micros()).unwrap_or(i64::MAX);
            let frames = board.record().since(from.wall.millis().saturating_mul(1000).saturating_sub(before));
            if frames.is_empty() {
                return;
            }
            let folder = gateway.captures.clone();
            let written =
                tokio::task::spawn_blocking(move || write(&folder, number, &to_pcap(kind, &frames)));
            if let Ok(Err(e)) = written.await {
                log.warn(&format!("the frames around ticket {number} were not kept: {e}"));
            }
        });
    }
}

/// Writes a file whole or not at all, and its folder where there is none.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
    let beside = path.with_extension("new");
    std::fs::write(&beside, bytes)?;
    std::fs::rename(&beside, path)
}

/// Writes a capture, and removes the oldest beyond the number that is kept.
fn write(folder: &Path, number: TicketNumber, pcap: &[u8]) -> io::Result<()> {
    write_whole(&folder.join(format!("ticket-{number}.pcap")), pcap)?;
    let mut kept: Vec<(u64, PathBuf)> = std::fs::read_dir(folder)?
        .flatten()
        .filter_map(|e| {
            let name = e.file_name().into_string().ok()?;
            let number = name.strip_prefix("ticket-")?.strip_suffix(".pcap")?.parse().ok()?;
            Some((number, e.path()))
        })
        .collect();
    kept.sort();
    let surplus = kept.len().saturating_sub(limits::CAPTURES_KEPT);
    kept.iter().take(surplus).try_for_each(|(_, path)| std::fs::remove_file(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_captures_are_kept() {
        let folder = std::env::temp_dir().join(format!("andon-captures-{}", std::process::id()));
        for number in 1..=limits::CAPTURES_KEPT as u64 + 3 {
            write(&folder, TicketNumber(number), b"x").unwrap();
        }
        let count = std::fs::read_dir(&folder).unwrap().count();
        assert!(!folder.join("ticket-3.pcap").exists());
        assert!(folder.join("ticket-4.pcap").exists());
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(count, limits::CAPTURES_KEPT);
    }
}
