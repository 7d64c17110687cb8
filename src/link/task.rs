//! The task of a link: keeps the line open, passes its readings on, and reports when the line cannot be opened.

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

/// Everything that the task of one link needs.
pub struct LinkTask {
    /// The site that the task serves.
    pub site: Arc<Site>,
    /// The version of `site`, counted from 0 at the start of the daemon. Each batch carries the version, because the
    /// indices of equipment and links are valid only for one version.
    pub version: u64,
    /// The index of the link in `site.links`.
    pub link: usize,
    /// The statistics of the link.
    pub board: LinkBoard,
    /// The channel for readings and link news. When the channel is full, polling waits.
    pub readings: mpsc::Sender<LinkSays>,
    /// Commands that come in addition to the polling schedule.
    pub commands: mpsc::Receiver<LinkCommand>,
    /// The clock.
    pub clock: Clock,
    /// Seed of the random part of waiting times.
    pub seed: u64,
}

/// Serves a link until the daemon stops taking readings.
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

/// A protocol on a link: opens the connection and serves it until it fails, again and again.
pub(super) trait Connector {
    /// An open connection.
    type Connection;

    /// Opens the connection. Also returns a remark about it for people, as a sentence, or `None`.
    async fn open(&mut self, task: &LinkTask) -> Result<(Self::Connection, Option<String>), String>;

    /// Takes over a reloaded configuration, after the task has adopted it.
    fn reloaded(&mut self, task: &LinkTask);

    /// Serves the open connection; returns the reason why it ended.
    async fn work(&mut self, task: &mut LinkTask, wire: Self::Connection) -> ConnectionEnd;

    /// The connection has ended: tells everyone who waits for an answer.
    fn away(&mut self) {}
}

/// The reason why an open connection ended.
pub(super) enum ConnectionEnd {
    /// The daemon stops.
    Stopped,
    /// The connection was lost: the reason, and whether any answer had arrived through it.
    Lost { why: String, has_served: bool },
}

impl LinkTask {
    /// Keeps the connection open until the daemon stops taking readings. After a connection that worked, the next is
    /// opened at once. As long as opening fails, the waiting times grow.
    pub(super) async fn keep_open<L: Connector>(mut self, mut line: L) {
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
                        ConnectionEnd::Stopped => return,
                        ConnectionEnd::Lost { why, has_served } => {
                            tracing::debug!(link = %self.board.lock().name, "connection lost: {why}");
                            hangups = if has_served { 0 } else { hangups + 1 };
                            if hangups < limits::HANGUPS_AT_ONCE_MAX {
                                continue;
                            }
                            let why = format!(
                                "{place} accepts connections but closes them without a response: {why}"
                            );
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

    /// Waits before the next attempt to open the connection. Returns false when the daemon stops.
    async fn wait<L: Connector>(&mut self, line: &mut L, pause: Duration) -> bool {
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
                // Dropping the command closes its reply channel: the sender knows at once that the link has no
                // connection.
                Some(LinkCommand::ReadNow(_) | LinkCommand::Write(_) | LinkCommand::Try(_)) => {}
            }
        }
    }

    /// Sets the link online: it was opened, or an answer has just arrived.
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

    /// Sets the link online because bytes have arrived, even if it was reported as offline.
    pub(super) async fn works(&self) {
        if self.board.lock().state == LinkState::Offline {
            let place = self.site.links.get(self.link).map_or_else(String::new, |l| l.kind.place());
            self.opened(&format!("connected to {place}")).await;
        }
    }

    /// Sends link news: `away` is the reason why the link has no connection, or `None` if it is open.
    pub(super) async fn tell_link(&self, away: Option<&str>) {
        let Some(link) = self.site.links.get(self.link).map(|l| l.name.clone()) else { return };
        let news = LinkNews { link, at: self.clock.now(), away: away.map(str::to_owned) };
        // A closed channel means that the daemon is stopping.
        let _sent = self.readings.send(LinkSays::Link(news)).await.is_ok();
    }

    /// Wraps a stream so that its frames are recorded.
    pub(super) fn tapped(&self, io: Box<dyn Stream>) -> Box<dyn Stream> {
        Box::new(Tapped { io, record: self.board.record().clone(), clock: self.clock })
    }

    /// Takes over a configuration that was reloaded while the link was served.
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

    /// Sets the link and all of its equipment offline, and reports every point as not read.
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

    /// A batch in which every point of a piece of equipment has no answer, with the reason.
    fn unread(&self, equipment: EquipmentIndex, why: &str, presence: Presence) -> Batch {
        let at = self.clock.now();
        let why: Arc<str> = why.into();
        let count = self.site.equipment.get(equipment.0).map_or(0, |e| e.profile.points.len());
        let none = |i| (PointIndex(i), Reading { value: Err(BadReason::NoAnswer(why.clone())), at });
        Batch { at, equipment, readings: (0..count).map(none).collect(), presence, done: None, site: 0 }
    }

    /// Sends readings. Returns false when the daemon stops taking them.
    pub(super) async fn send(&self, mut batch: Batch) -> bool {
        batch.site = self.version;
        self.readings.send(LinkSays::Readings(batch)).await.is_ok()
    }
}
