//! The thread of the journal: appends all waiting groups of records with one fsync, reports them as durable, and gives
//! them to the feed. It waits only for the disk.
//!
//! Each group has the epoch in which the driver made it, and every failure begins a new epoch. Groups of an old epoch are
//! dropped, because the desk has undone their events and decides them again.

use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::desk::Draft;
use crate::feed::{Committed, Feed};
use crate::journal::{Journal, Line, Opened};
use crate::limits;
use crate::words::{Damage, Seq};

/// Records to write, in their order.
#[derive(Debug)]
pub(super) struct Group {
    pub epoch: u64,
    pub drafts: Vec<Draft>,
}

/// A report of the thread to the driver.
#[derive(Debug)]
pub(super) enum Written {
    /// All events up to this one are on disk.
    Durable(Seq),
    /// The events from this one on could not be written, for this reason.
    Failed(Seq, String),
    /// The journal can be written again.
    Again,
    /// Parts of the journal that cannot be read were found.
    Damaged(Vec<Damage>),
    /// A sentence for the log.
    Said(String),
}

struct DraftLine<'a>(&'a Draft);

impl Line for DraftLine<'_> {
    fn seq(&self) -> Seq {
        self.0.record.seq
    }

    fn line(&self, prev: &str) -> String {
        self.0.line.with_prev(prev)
    }
}

/// The thread, and its two channels.
pub(super) struct JournalThread {
    pub groups: mpsc::Sender<Group>,
    pub written: mpsc::Receiver<Written>,
    pub thread: JoinHandle<()>,
}

/// Starts the thread. It ends when the sender of the groups is dropped. With `looks`, the thread checks the journal's
/// file from time to time. Without, it touches no file before the first write: a single command that only reads changes
/// nothing.
pub(super) fn start(journal: Journal, feed: Feed, looks: bool) -> std::io::Result<JournalThread> {
    let (groups, written, mut worker) = JournalWorker::new(journal, feed);
    worker.looks = looks;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let thread = std::thread::Builder::new()
        .name("journal".to_owned())
        .spawn(move || runtime.block_on(worker.run()))?;
    Ok(JournalThread { groups, written, thread })
}

/// The work of the thread.
pub(super) struct JournalWorker {
    journal: Journal,
    feed: Feed,
    groups: mpsc::Receiver<Group>,
    written: mpsc::Sender<Written>,
    epoch: u64,
    /// True if the last attempt to write failed.
    is_failing: bool,
    /// True if the thread checks the journal's file while nothing is written.
    looks: bool,
}

impl JournalWorker {
    pub(super) fn new(journal: Journal, feed: Feed) -> (mpsc::Sender<Group>, mpsc::Receiver<Written>, Self) {
        let (groups_tx, groups) = mpsc::channel::<Group>(limits::JOURNAL_QUEUED_MAX);
        // This channel has space for the reports of all groups, so the thread and the desk never wait for each other.
        let (written, written_rx) = mpsc::channel(limits::JOURNAL_QUEUED_MAX * 4);
        (
            groups_tx,
            written_rx,
            Self { journal, feed, groups, written, epoch: 0, is_failing: false, looks: true },
        )
    }

    pub(super) async fn run(mut self) {
        loop {
            let group = tokio::time::timeout(limits::JOURNAL_LOOK_EVERY, self.groups.recv()).await;
            let answers = match group {
                Ok(Some(first)) => self.write(first),
                Ok(None) => return,
                Err(_elapsed) if self.looks => self.look(),
                Err(_elapsed) => Vec::new(),
            };
            for answer in answers {
                if self.written.send(answer).await.is_err() {
                    return;
                }
            }
        }
    }

    fn write(&mut self, first: Group) -> Vec<Written> {
        let mut drafts = Vec::new();
        let mut next = Some(first);
        while let Some(group) = next {
            if group.epoch >= self.epoch {
                drafts.extend(group.drafts);
            }
            next = if drafts.len() < limits::GROUP_COMMIT_MAX { self.groups.try_recv().ok() } else { None };
        }
        let Some(from) = drafts.first().map(|d| d.record.seq) else { return Vec::new() };
        let lines: Vec<DraftLine<'_>> = drafts.iter().map(DraftLine).collect();
        let written = self.journal.append(&lines);
        let mut answers = self.found();
        match written {
            Ok(hashes) => {
                self.is_failing = false;
                let last = self.journal.end().seq;
                let committed = drafts.into_iter().zip(hashes).map(|(draft, hash)| {
                    let bytes = draft.line.bytes();
                    Committed { record: draft.record, hash, bytes }
                });
                self.feed.push(committed.collect());
                answers.push(Written::Durable(last));
            }
            Err(e) => {
                self.epoch += 1;
                self.is_failing = true;
                answers.push(Written::Failed(from, e.to_string()));
            }
        }
        answers
    }

    /// Checks the journal's file while nothing is written: it may be removed, and the disk may have space again.
    fn look(&mut self) -> Vec<Written> {
        let looked = if self.is_failing { self.journal.try_room() } else { self.journal.look() };
        let mut answers = self.found();
        match looked {
            Ok(()) if self.is_failing => {
                self.is_failing = false;
                answers.push(Written::Again);
            }
            Err(e) if !self.is_failing => {
                self.is_failing = true;
                self.epoch += 1;
                answers.push(Written::Failed(self.journal.end().seq.next(), e.to_string()));
            }
            Ok(()) | Err(_) => {}
        }
        answers
    }

    fn found(&mut self) -> Vec<Written> {
        let Opened { said, damage } = self.journal.take_opened();
        let damage = (!damage.is_empty()).then_some(Written::Damaged(damage));
        said.into_iter().map(Written::Said).chain(damage).collect()
    }
}

const _: () = assert!(limits::JOURNAL_LOOK_EVERY.as_millis() <= Duration::from_secs(1).as_millis());
