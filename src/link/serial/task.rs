//! The task of one serial link: sends what the session returns, reads the responses and reports the readings.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::session::{Heard, Next, Session};
use crate::link::task::{ConnectionEnd, Connector};
use crate::link::wire::{Stream, connect, open_port};
use crate::link::{AnswerKey, Batch, LastAnswer, LinkCommand, LinkState, LinkTask};
use crate::profile::{Place, Point, Profile, parse_bytes, parse_text};
use crate::site::{LinkKind, SerialDevice, SerialPlace};
use crate::words::{BadReason, EquipmentIndex, Mono, Now, PointIndex, Presence, Reading};

/// Serves a serial link until the daemon stops taking readings.
pub(in crate::link) async fn serve(task: LinkTask) {
    let Some(LinkKind::Serial(device)) = task.site.links.get(task.link).map(|l| l.kind.clone()) else {
        return;
    };
    let Some(equipment) = task.equipment().first().copied() else { return };
    let Some(profile) = task.site.equipment.get(equipment.0).map(|e| e.profile.clone()) else { return };
    let session = Session::new(profile.serial.clone(), task.clock.now().mono);
    task.keep_open(Instrument { device, equipment, profile, session }).await;
}

/// The only device on a line, with its statistics and readings.
struct Instrument {
    device: SerialDevice,
    equipment: EquipmentIndex,
    profile: Arc<Profile>,
    session: Session,
}

impl Connector for Instrument {
    type Connection = Box<dyn Stream>;

    async fn open(&mut self, task: &LinkTask) -> Result<(Box<dyn Stream>, Option<String>), String> {
        match &self.device.place {
            SerialPlace::Tcp(address) => Ok((task.tapped(connect(address).await?), None)),
            SerialPlace::Port(port) => {
                let baud = self.device.rate(&self.profile);
                let (io, remark) = open_port(port, baud, self.device.character)?;
                Ok((task.tapped(io), remark))
            }
        }
    }

    fn reloaded(&mut self, _task: &LinkTask) {}

    async fn work(&mut self, task: &mut LinkTask, io: Box<dyn Stream>) -> ConnectionEnd {
        let mut talk =
            Talk { task, equipment: self.equipment, profile: &self.profile, asked: None, has_served: false };
        match talk.work(io, &mut self.session).await {
            None => ConnectionEnd::Stopped,
            Some(why) => ConnectionEnd::Lost { why, has_served: talk.has_served },
        }
    }
}

struct Talk<'a> {
    task: &'a mut LinkTask,
    equipment: EquipmentIndex,
    profile: &'a Arc<Profile>,
    /// The time when the present request was sent; `None` if no request is under way.
    asked: Option<Mono>,
    /// True if bytes have arrived through this connection.
    has_served: bool,
}

impl Talk<'_> {
    /// Serves an open line. Returns why it ended, or `None` when the daemon stops.
    async fn work(&mut self, mut io: Box<dyn Stream>, session: &mut Session) -> Option<String> {
        let start = session.opened();
        if let Err(e) = io.write_all(&start).await {
            return Some(e.to_string());
        }
        let mut space = [0; 1024];
        loop {
            let now = self.task.clock.now().mono;
            if let Some(heard) = session.elapsed(now)
                && !self.tell(heard).await
            {
                return None;
            }
            let until = match session.next(now) {
                Next::Ask(_, bytes) => {
                    self.note_asked();
                    // There is no flush, because the flush of a serial driver blocks the whole thread.
                    if let Err(e) = io.write_all(&bytes).await {
                        return Some(e.to_string());
                    }
                    continue;
                }
                Next::Wait(at) => Some(self.task.clock.instant(at)),
                Next::Listen => None,
            };
            let sleep = async {
                match until {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                read = io.read(&mut space) => match read {
                    Ok(0) => return Some("the connection was closed".to_owned()),
                    Ok(count) => {
                        if !self.has_served {
                            self.has_served = true;
                            self.task.works().await;
                        }
                        let bytes = space.get(..count).unwrap_or(&[]);
                        for heard in session.received(bytes, self.task.clock.now().mono) {
                            if !self.tell(heard).await {
                                return None;
                            }
                        }
                    }
                    Err(e) => return Some(e.to_string()),
                },
                () = sleep => {}
                command = self.task.commands.recv() => {
                    match command? {
                        LinkCommand::ReadNow(_) => session.read_now(self.task.clock.now().mono),
                        // Only registers can be written, and a serial profile has none. Dropping the order tells its
                        // sender.
                        LinkCommand::Write(_) | LinkCommand::Try(_) => {}
                        // A reload that changes the device starts a new task for the link, so this one has nothing to
                        // do.
                        LinkCommand::Reloaded(_) => {}
                    }
                }
            }
        }
    }

    fn note_asked(&mut self) {
        self.asked = Some(self.task.clock.now().mono);
        let mut stats = self.task.board.lock();
        stats.requests += 1;
        if let Some(equipment) = stats.of(&self.task.site, self.equipment) {
            equipment.requests += 1;
        }
    }

    /// Records a result and sends its readings. Returns false when the daemon stops taking them.
    async fn tell(&mut self, heard: Heard) -> bool {
        let now = self.task.clock.now();
        self.note(&heard, now);
        let batch = match heard {
            Heard::Values { source, captures, line, .. } => Batch {
                at: now,
                equipment: self.equipment,
                readings: values(self.profile, &source, &line, &captures, now),
                presence: Presence::Answered,
                done: None,
                site: 0,
            },
            Heard::Failed { source, why, .. } => {
                let why: Arc<str> = why.into();
                let readings = brought(self.profile, &source)
                    .map(|(p, _)| (p, Reading { value: Err(BadReason::NoAnswer(why.clone())), at: now }))
                    .collect();
                Batch {
                    at: now,
                    equipment: self.equipment,
                    readings,
                    presence: Presence::NoAnswer,
                    done: None,
                    site: 0,
                }
            }
            Heard::Stray(_) => return true,
        };
        self.task.send(batch).await
    }

    fn note(&mut self, heard: &Heard, now: Now) {
        let ends = !matches!(heard, Heard::Stray(_) | Heard::Values { asked_at: None, .. });
        let asked = if ends { self.asked.take() } else { None };
        let mut stats = self.task.board.lock();
        stats.busy += asked.map(|at| now.mono.since(at)).unwrap_or_default();
        if let Heard::Failed { kind, .. } | Heard::Stray(kind) = heard {
            stats.count_error(kind);
        }
        let Some(equipment) = stats.of(&self.task.site, self.equipment) else { return };
        match heard {
            Heard::Values { source, line, asked_at, .. } => {
                let took = asked_at.map(|at| now.mono.since(at)).unwrap_or_default();
                if asked_at.is_some() {
                    equipment.note_time(took);
                }
                let request = match asked_at {
                    Some(_) => format!("request {source}"),
                    None => format!("stream {source}"),
                };
                let last =
                    LastAnswer { request, text: line.clone(), words: Vec::new(), start: 0, at: now, took };
                equipment.last.insert(AnswerKey::Named(source.clone()), last);
                equipment.set_state(LinkState::Online, "answers", now);
            }
            Heard::Failed { source, kind, why } => {
                *equipment.errors.entry((*kind).to_owned()).or_default() += 1;
                equipment.set_state(LinkState::Degraded, &format!("{source}: {why}"), now);
            }
            Heard::Stray(kind) => *equipment.errors.entry((*kind).to_owned()).or_default() += 1,
        }
    }
}

/// The points that a request or stream delivers.
fn brought<'a>(profile: &'a Profile, from: &'a str) -> impl Iterator<Item = (PointIndex, &'a Point)> {
    let all = profile.points.iter().enumerate();
    all.filter(move |(_, p)| p.place.source() == Some(from)).map(|(index, p)| (PointIndex(index), p))
}

fn values(
    profile: &Profile,
    source: &str,
    line: &str,
    captures: &BTreeMap<String, String>,
    at: Now,
) -> Vec<(PointIndex, Reading)> {
    let read = |point: &Point| match &point.place {
        Place::Capture { name, .. } => Some(parse_text(point, captures.get(name)?)),
        Place::Bytes { at, count, .. } => Some(parse_bytes(point, line, *at, *count)),
        _ => None,
    };
    brought(profile, source).filter_map(|(index, p)| Some((index, Reading { value: read(p)?, at }))).collect()
}
