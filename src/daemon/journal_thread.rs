//! The journal's thread: takes groups of records, appends what waits with one fsync, says what is on disk, and gives it to the
//! feed. It waits for nobody but the disk.
//!
//! After a failure everything still under way belongs to the past: groups carry the epoch they were made in, and
//! those of an old epoch are dropped unread, because the desk has undone them and decides them again.

use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::desk::Draft;
use crate::feed::{Committed, Feed};
use crate::journal::{Journal, Line, Opened};
use crate::limits;
use crate::words::{Damage, Seq};

/// Records to be made durable, in order.
#[derive(Debug)]
pub(super) struct Group {
    pub epoch: u64,
    pub drafts: Vec<Draft>,
}

/// What became of them.
#[derive(Debug)]
pub(super) enum Written {
    /// Everything up to this one is on disk.
    Durable(Seq),
    /// Nothing from this one on is.
    Failed(Seq, String),
    /// The journal can be written again, after it could not.
    Again,
    /// Parts of the journal that cannot be read were found while it was written.
    Damaged(Vec<Damage>),
    /// Something for the log.
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

/// The two ends of the journal's thread.
pub(super) struct JournalThread {
    pub groups: mpsc::Sender<Group>,
    pub written: mpsc::Receiver<Written>,
    pub thread: JoinHandle<()>,
}

/// Starts the thread. It ends when the groups' sender is dropped. Without `looks` it touches no file until something is
/// written: a single command that only reads leaves everything as it is.
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
    /// Whether the last attempt to write failed.
    is_failing: bool,
    /// Whether it looks after the journal's file while nothing is written.
    looks: bool,
}

impl JournalWorker {
    pub(super) fn new(journal: Journal, feed: Feed) -> (mpsc::Sender<Group>, mpsc::Receiver<Written>, Self) {
        let (groups_tx, groups) = mpsc::channel::<Group>(limits::JOURNAL_QUEUED_MAX);
        // Room for every group under way and more: the thread never waits for the desk while the desk waits for it.
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

    /// Looks after the journal's file while nothing is written.
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
