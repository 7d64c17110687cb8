//! What every link's task has, how a line is kept open, and what is told when it is away.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::backoff::Backoff;
use super::record::Tapped;
use super::wire::Stream;
use super::{Batch, LinkBoard, LinkCommand, LinkState, Reload, modbus, mqtt, serial};
use crate::ambient::Clock;
use crate::site::{LinkKind, Site};
use crate::words::{BadReason, EquipmentIndex, PointIndex, Presence, Reading};

/// What a link's task needs.
pub struct LinkTask {
    /// The site.
    pub site: Arc<Site>,
    /// Which one since the daemon's start, from 0: what it numbers is told by this.
    pub version: u64,
    /// The link's place in it.
    pub link: usize,
    /// Where its state is shown.
    pub board: LinkBoard,
    /// Where its readings go; when that is full, polling waits.
    pub readings: mpsc::Sender<Batch>,
    /// What it is asked besides its schedule.
    pub commands: mpsc::Receiver<LinkCommand>,
    /// The clock.
    pub clock: Clock,
    /// For jitter.
    pub seed: u64,
}

/// Works a link until the daemon stops taking readings.
pub async fn serve(task: LinkTask) {
    let Some(kind) = task.site.links.get(task.link).map(|l| &l.kind) else { return };
    match kind {
        LinkKind::ModbusTcp { .. }
        | LinkKind::ModbusRtuOverTcp { .. }
        | LinkKind::ModbusRtu(_)
        | LinkKind::ModbusAscii(_) => {
            modbus::serve(task).await;
        }
        LinkKind::Serial(_) => serial::serve(task).await,
        LinkKind::Mqtt(_) => mqtt::serve(task).await,
    }
}

/// A line that is opened, worked until it fails, and opened again.
pub(super) trait Line {
    /// What an open line is worked through.
    type Wire;

    /// Opens it; also what should be known of that, as a sentence.
    async fn open(&mut self, task: &LinkTask) -> Result<(Self::Wire, Option<String>), String>;

    /// The configuration was loaded again, and the task has adopted it.
    fn reloaded(&mut self, task: &LinkTask);

    /// Works it; returns why it ended, or nothing when the daemon stops.
    async fn work(&mut self, task: &mut LinkTask, wire: Self::Wire) -> Option<String>;
}

impl LinkTask {
    /// Keeps a line open, with growing pauses while it does not open, until the daemon stops taking readings.
    pub(super) async fn keep_open<L: Line>(mut self, mut line: L) {
        let place = self.site.links.get(self.link).map_or_else(String::new, |l| l.kind.place());
        let mut backoff = Backoff::new(self.seed);
        loop {
            match line.open(&self).await {
                Ok((wire, remark)) => {
                    backoff.reset();
                    let message = remark.unwrap_or_else(|| format!("connected to {place}"));
                    self.board.lock().set_state(LinkState::Online, &message, self.clock.now());
                    match line.work(&mut self, wire).await {
                        Some(why) => self.offline(&why, Presence::NoAnswer).await,
                        None => return,
                    }
                }
                Err(why) => {
                    self.board.lock().count_error("connect");
                    self.offline(&why, Presence::NoAnswer).await;
                }
            }
            if self.readings.is_closed() {
                return;
            }
            let pause = tokio::time::sleep(backoff.pause());
            tokio::pin!(pause);
            loop {
                let command = tokio::select! {
                    () = &mut pause => break,
                    command = self.commands.recv() => command,
                };
                match command {
                    None => return,
                    Some(LinkCommand::Reloaded(reload)) => {
                        self.adopt(reload);
                        line.reloaded(&self);
                    }
                    // What is dropped tells its asker at once that the link is away.
                    Some(LinkCommand::ReadNow(_) | LinkCommand::Write(_) | LinkCommand::Try(_)) => {}
                }
            }
        }
    }

    /// A stream whose frames are kept on the link's record.
    pub(super) fn tapped(&self, io: Box<dyn Stream>) -> Box<dyn Stream> {
        Box::new(Tapped { io, record: self.board.record().clone(), clock: self.clock })
    }

    /// Takes up a configuration that was loaded while the link was served.
    pub(super) fn adopt(&mut self, reload: Reload) {
        self.site = reload.site;
        self.version = reload.version;
        self.link = reload.link;
    }

    /// The equipment on this link.
    pub(super) fn equipment(&self) -> Vec<EquipmentIndex> {
        let all = self.site.equipment.iter().enumerate();
        all.filter(|(_, e)| e.link == self.link).map(|(index, _)| EquipmentIndex(index)).collect()
    }

    /// The link is away: every point on it is bad.
    pub(super) async fn offline(&self, why: &str, presence: Presence) {
        let now = self.clock.now();
        {
            let mut stats = self.board.lock();
            stats.set_state(LinkState::Offline, why, now);
            for equipment in stats.equipment.values_mut() {
                equipment.set_state(LinkState::Offline, why, now);
            }
        }
        for equipment in self.equipment() {
            if !self.send(self.all_bad(equipment, why, presence)).await {
                return;
            }
        }
    }

    /// Every point of a piece of equipment is bad, and why.
    pub(super) fn all_bad(&self, equipment: EquipmentIndex, why: &str, presence: Presence) -> Batch {
        let at = self.clock.now();
        let why: Arc<str> = why.into();
        let count = self.site.equipment.get(equipment.0).map_or(0, |e| e.profile.points.len());
        let bad = |i| (PointIndex(i), Reading { value: Err(BadReason::NoAnswer(why.clone())), at });
        Batch { at, equipment, readings: (0..count).map(bad).collect(), presence, done: None, site: 0 }
    }

    /// Sends readings on; false when nobody takes them any more.
    pub(super) async fn send(&self, mut batch: Batch) -> bool {
        batch.site = self.version;
        self.readings.send(batch).await.is_ok()
    }
}
