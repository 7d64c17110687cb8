//! The journal's thread: takes groups of records, appends what waits with one fsync, says what is on disk.
//!
//! After a failure everything still under way belongs to the past: groups carry the epoch they were made in, and
//! those of an old epoch are dropped unread, because the desk has undone them and decides them again.

use std::thread::JoinHandle;

use tokio::sync::mpsc;

use crate::desk::Record;
use crate::journal::{Journal, Line};
use crate::limits;
use crate::words::Seq;

/// Records to be made durable, in order.
#[derive(Debug)]
pub(super) struct Group {
    pub epoch: u64,
    pub records: Vec<Record>,
}

/// What became of them.
#[derive(Debug)]
pub(super) enum Written {
    /// Everything up to this one is on disk.
    Durable(Seq),
    /// Nothing from this one on is.
    Failed(Seq, String),
}

struct RecordLine<'a>(&'a Record);

impl Line for RecordLine<'_> {
    fn seq(&self) -> Seq {
        self.0.seq
    }

    fn line(&self, prev: &str) -> Result<String, String> {
        self.0.to_line(prev).map_err(|e| e.to_string())
    }
}

/// The two ends of the journal's thread.
pub(super) struct Writer {
    pub groups: mpsc::Sender<Group>,
    pub written: mpsc::Receiver<Written>,
    pub thread: JoinHandle<()>,
}

/// Records with their lines' hashes, for the store.
pub(super) type Hashed = Vec<(Record, String)>;

/// Starts the thread. It ends when the groups' sender is dropped.
pub(super) fn start(
    mut journal: Journal,
    store: std::sync::mpsc::SyncSender<Hashed>,
) -> std::io::Result<Writer> {
    let (groups_tx, mut groups) = mpsc::channel::<Group>(limits::JOURNAL_QUEUED_MAX);
    // Room for every group under way and more: the thread never waits for the desk while the desk waits for it.
    let (written_tx, written) = mpsc::channel(limits::JOURNAL_QUEUED_MAX * 4);
    let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(move || {
        let mut epoch = 0;
        while let Some(first) = groups.blocking_recv() {
            let mut records = Vec::new();
            let mut next = Some(first);
            while let Some(group) = next {
                if group.epoch >= epoch {
                    records.extend(group.records);
                }
                next = if records.len() < limits::GROUP_COMMIT_MAX { groups.try_recv().ok() } else { None };
            }
            let Some(from) = records.first().map(|r| r.seq) else { continue };
            let lines: Vec<RecordLine<'_>> = records.iter().map(RecordLine).collect();
            let answer = match journal.append(&lines) {
                Ok(hashes) => {
                    let last = journal.seq;
                    // A store that is gone catches up from the journal later.
                    let _sent = store.send(records.into_iter().zip(hashes).collect());
                    Written::Durable(last)
                }
                Err(e) => {
                    epoch += 1;
                    Written::Failed(from, e.to_string())
                }
            };
            if written_tx.blocking_send(answer).is_err() {
                return;
            }
        }
    })?;
    Ok(Writer { groups: groups_tx, written, thread })
}
