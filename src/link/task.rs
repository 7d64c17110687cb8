//! What every link's task has, how a line is kept open, and what is told when it is away.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::backoff::Backoff;
use super::record::Tapped;
use super::wire::Stream;
use super::{Batch, LinkBoard, LinkCommand, LinkNews, LinkSays, LinkState, Reload, modbus, mqtt, serial};
use crate::ambient::Clock;
use crate::limits;
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
    pub readings: mpsc::Sender<LinkSays>,
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

    /// Works it; returns how it ended.
    async fn work(&mut self, task: &mut LinkTask, wire: Self::Wire) -> End;

    /// The line is away: whoever waits for it is told.
    fn away(&mut self) {}
}

/// How the work on an open line ended.
pub(super) enum End {
    /// The daemon stops.
    Stopped,
    /// The connection is gone: why, and whether anything had come over it.
    Lost { why: String, has_served: bool },
}

impl LinkTask {
    /// Keeps a line open until the daemon stops taking readings. After a connection that worked the next one is opened at
    /// once; the pauses grow while none can be opened.
    pub(super) async fn keep_open<L: Line>(mut self, mut line: L) {
        let place = self.site.links.get(self.link).map_or_else(String::new, |l| l.kind.place());
        let mut backoff = Backoff::new(self.seed);
        let mut hangups = 0;
        loop {
            let pause = match line.open(&self).await {
                Ok((wire, remark)) => {
                    tracing::debug!(link = %self.board.lock().name, "connected to {place}");
                    backoff.reset();
                    if hangups < limits::HANGUPS_AT_ONCE_MAX {
                        let message = remark.unwrap_or_else(|| format!("connected to {place}"));
                        self.opened(&message).await;
                    }
                    match line.work(&mut self, wire).await {
                        End::Stopped => return,
                        End::Lost { why, has_served } => {
                            tracing::debug!(link = %self.board.lock().name, "connection lost: {why}");
                            hangups = if has_served { 0 } else { hangups + 1 };
                            if hangups < limits::HANGUPS_AT_ONCE_MAX {
                                continue;
                            }
                            let why =
                                format!("{place} takes connections and closes them without an answer: {why}");
                            self.offline(&why, Presence::NoAnswer).await;
                            limits::HANGUP_WAIT
                        }
                    }
                }
                Err(why) => {
                    tracing::debug!(link = %self.board.lock().name, "not connected: {why}");
                    self.board.lock().count_error("connect");
                    self.offline(&why, Presence::NoAnswer).await;
                    backoff.pause()
                }
            };
            line.away();
            if self.readings.is_closed() || !self.wait(&mut line, pause).await {
                return;
            }
        }
    }

    /// Waits before a line is opened again; false when the daemon stops.
    async fn wait<L: Line>(&mut self, line: &mut L, pause: Duration) -> bool {
        let pause = tokio::time::sleep(pause);
        tokio::pin!(pause);
        loop {
            let command = tokio::select! {
                () = &mut pause => return true,
                command = self.commands.recv() => command,
            };
            match command {
                None => return false,
                Some(LinkCommand::Reloaded(reload)) => {
                    self.adopt(reload);
                    line.reloaded(self);
                }
                // What is dropped tells its asker at once that the link is away.
                Some(LinkCommand::ReadNow(_) | LinkCommand::Write(_) | LinkCommand::Try(_)) => {}
            }
        }
    }

    /// The line is open, or has just proven that it works.
    pub(super) async fn opened(&self, message: &str) {
        let is_news = {
            let mut stats = self.board.lock();
            let is_news = stats.state != LinkState::Online;
            stats.set_state(LinkState::Online, message, self.clock.now());
            is_news
        };
        if is_news {
            self.tell_link(None).await;
        }
    }

    /// Something came over a line: it works, whatever was thought of it.
    pub(super) async fn works(&self) {
        if self.board.lock().state == LinkState::Offline {
            let place = self.site.links.get(self.link).map_or_else(String::new, |l| l.kind.place());
            self.opened(&format!("connected to {place}")).await;
        }
    }

    /// Tells how the link itself is.
    pub(super) async fn tell_link(&self, away: Option<&str>) {
        let Some(link) = self.site.links.get(self.link).map(|l| l.name.clone()) else { return };
        let news = LinkNews { link, at: self.clock.now(), away: away.map(str::to_owned) };
        // When nobody takes readings any more the daemon is stopping.
        let _sent = self.readings.send(LinkSays::Link(news)).await.is_ok();
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

    /// The link is away: nothing on it is read.
    pub(super) async fn offline(&self, why: &str, presence: Presence) {
        let now = self.clock.now();
        {
            let mut stats = self.board.lock();
            stats.set_state(LinkState::Offline, why, now);
            for equipment in stats.equipment.values_mut() {
                equipment.set_state(LinkState::Offline, why, now);
            }
        }
        self.tell_link(Some(why)).await;
        for equipment in self.equipment() {
            if !self.send(self.unread(equipment, why, presence)).await {
                return;
            }
        }
    }

    /// No point of a piece of equipment is read, and why.
    fn unread(&self, equipment: EquipmentIndex, why: &str, presence: Presence) -> Batch {
        let at = self.clock.now();
        let why: Arc<str> = why.into();
        let count = self.site.equipment.get(equipment.0).map_or(0, |e| e.profile.points.len());
        let none = |i| (PointIndex(i), Reading { value: Err(BadReason::NoAnswer(why.clone())), at });
        Batch { at, equipment, readings: (0..count).map(none).collect(), presence, done: None, site: 0 }
    }

    /// Sends readings on; false when nobody takes them any more.
    pub(super) async fn send(&self, mut batch: Batch) -> bool {
        batch.site = self.version;
        self.readings.send(LinkSays::Readings(batch)).await.is_ok()
    }
}
