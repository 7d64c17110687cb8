//! [`LinkSupervisor`]: starts the task of each link, and starts it again after a panic or a changed configuration.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::ambient::{self, Clock};
use crate::api::Links;
use crate::limits;
use crate::link::{LinkBoard, LinkCommand, LinkSays, LinkTask, Reload, serve};
use crate::site::{Link, LinkKind, Site};
use crate::words::{EquipmentId, LinkName};

/// The tasks and boards of all links.
pub(super) struct LinkSupervisor {
    site: Arc<Site>,
    version: u64,
    links: Links,
    readings: mpsc::Sender<LinkSays>,
    clock: Clock,
    boards: BTreeMap<LinkName, LinkBoard>,
    tasks: BTreeMap<LinkName, JoinHandle<()>>,
}

fn equipment_of(site: &Site, link: usize) -> impl Iterator<Item = EquipmentId> {
    site.equipment.iter().filter(move |e| e.link == link).map(|e| e.id.clone())
}

/// Creates a board for each link, in the order of the site.
pub(super) fn boards(site: &Site, clock: Clock) -> Vec<LinkBoard> {
    let links = site.links.iter().enumerate();
    links.map(|(at, l)| LinkBoard::new(l.name.as_str(), equipment_of(site, at), clock.now())).collect()
}

impl LinkSupervisor {
    /// Starts a task for each link. The boards are in the order of the site.
    pub(super) fn start(
        site: Arc<Site>,
        boards: Vec<LinkBoard>,
        links: Links,
        readings: mpsc::Sender<LinkSays>,
        clock: Clock,
    ) -> Self {
        let names = site.links.iter().map(|l| l.name.clone());
        let boards = names.zip(boards).collect();
        let tasks = BTreeMap::new();
        let mut supervisor = Self { site: site.clone(), version: 0, links, readings, clock, boards, tasks };
        for (at, link) in site.links.iter().enumerate() {
            supervisor.spawn(at, link);
        }
        supervisor
    }

    /// Returns the boards in the order of the site.
    pub(super) fn boards(&self) -> Vec<LinkBoard> {
        self.site.links.iter().filter_map(|l| self.boards.get(&l.name).cloned()).collect()
    }

    fn spawn(&mut self, at: usize, link: &Link) {
        // Commands for the link can be sent from now on, before its task has run.
        let (sender, commands) = mpsc::channel(limits::LINK_COMMANDS_MAX);
        self.links.lock().unwrap_or_else(PoisonError::into_inner).insert(link.name.clone(), sender);
        let equipment = equipment_of(&self.site, at);
        let blank = || LinkBoard::new(link.name.as_str(), [], self.clock.now());
        let board = self.boards.entry(link.name.clone()).or_insert_with(blank).clone();
        board.set_equipment(equipment, self.clock.now());
        let supervised = SupervisedLink {
            site: self.site.clone(),
            version: self.version,
            at,
            name: link.name.clone(),
            board,
            links: self.links.clone(),
            clock: self.clock,
        };
        self.tasks.insert(link.name.clone(), tokio::spawn(supervised.serve(self.readings.clone(), commands)));
    }

    /// Continues with another site. An unchanged link is not touched. If only the equipment of a Modbus link has changed, the
    /// link keeps its connection. Every other changed link is opened again.
    pub(super) async fn reload(&mut self, site: Arc<Site>) {
        let before = std::mem::replace(&mut self.site, site.clone());
        self.version += 1;
        let same = site.same_as(&before);
        let removed: Vec<LinkName> =
            self.tasks.keys().filter(|n| !site.links.iter().any(|l| l.name == **n)).cloned().collect();
        for name in removed {
            self.end(&name).await;
            self.boards.remove(&name);
        }
        for (at, link) in site.links.iter().enumerate() {
            let old = before.links.iter().position(|l| l == link);
            let is_kept = old.is_some_and(|old| {
                let count = |s: &Site, link| equipment_of(s, link).count();
                let stay =
                    same.iter().filter(|(_, to)| site.equipment.get(to.0).is_some_and(|e| e.link == at));
                let stay = stay.count();
                stay == count(&site, at) && stay == count(&before, old)
            });
            if is_kept {
                continue;
            }
            let is_bus = !matches!(link.kind, LinkKind::Serial(_) | LinkKind::Mqtt(_));
            if old.is_some() && is_bus {
                if let Some(board) = self.boards.get(&link.name) {
                    board.set_equipment(equipment_of(&site, at), self.clock.now());
                }
                let sender =
                    self.links.lock().unwrap_or_else(PoisonError::into_inner).get(&link.name).cloned();
                let reload = Reload { site: site.clone(), version: self.version, link: at };
                if let Some(sender) = sender
                    && sender.send(LinkCommand::Reloaded(reload)).await.is_ok()
                {
                    continue;
                }
            }
            self.end(&link.name).await;
            self.spawn(at, link);
        }
    }

    /// Ends the task of a link, and waits until its port or socket is free.
    async fn end(&mut self, name: &LinkName) {
        if let Some(task) = self.tasks.remove(name) {
            task.abort();
            // The result is always "aborted".
            let _ended = task.await;
        }
        self.links.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    /// Ends all tasks, and waits until their ports and sockets are free.
    pub(super) async fn close(&mut self) {
        for name in self.tasks.keys().cloned().collect::<Vec<_>>() {
            self.end(&name).await;
        }
    }

    /// Ends all tasks without waiting.
    pub(super) fn stop(&self) {
        for task in self.tasks.values() {
            task.abort();
        }
    }
}

/// A link whose task is started again after a panic.
struct SupervisedLink {
    site: Arc<Site>,
    version: u64,
    at: usize,
    name: LinkName,
    board: LinkBoard,
    links: Links,
    clock: Clock,
}

impl SupervisedLink {
    async fn serve(self, readings: mpsc::Sender<LinkSays>, mut commands: mpsc::Receiver<LinkCommand>) {
        loop {
            let task = LinkTask {
                site: self.site.clone(),
                version: self.version,
                link: self.at,
                board: self.board.clone(),
                readings: readings.clone(),
                commands,
                clock: self.clock,
                seed: ambient::seed(),
            };
            // The set is dropped with this future, so a stopping daemon ends the task.
            let mut running = tokio::task::JoinSet::new();
            running.spawn(serve(task));
            match running.join_next().await {
                Some(Err(e)) if e.is_panic() => {
                    tracing::error!(
                        target: "andon::link",
                        "a bug of andon: the task of link {} failed ({e}) and is started again",
                        self.name,
                    );
                    self.board.lock().count_error("panic");
                }
                _ => return,
            }
            tokio::time::sleep(limits::LINK_RESTART).await;
            let (sender, fresh) = mpsc::channel(limits::LINK_COMMANDS_MAX);
            commands = fresh;
            self.links.lock().unwrap_or_else(PoisonError::into_inner).insert(self.name.clone(), sender);
        }
    }
}
