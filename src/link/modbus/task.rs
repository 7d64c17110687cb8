//! One task a bus: asks what the schedule says, decodes, reports.

use std::time::Duration;

use tokio::sync::oneshot;

use super::asked::{Asked, Order};
use super::fault::{WireFault, exception_text};
use super::plan::{LineTiming, PlannedRequest, plan};
use super::schedule::{Ask, Next, Outcome, Purpose, Report, Schedule, UnitSetup};
use super::wire::{Wire, Write};
use crate::limits;
use crate::link::task::{End, Line};
use crate::link::{Batch, LinkCommand, LinkTask, TryEnd, TryOrder, TryWhat, WriteEnd, WriteOrder};
use crate::profile::{Profile, decode};
use crate::site::{LinkKind, Site};
use crate::words::{BadReason, EquipmentId, EquipmentIndex, Now, PointIndex, PointName, Presence, Reading};

/// Works a link until the daemon stops taking readings.
pub(in crate::link) async fn serve(task: LinkTask) {
    let Some(link) = task.site.links.get(task.link) else { return };
    let timing = LineTiming::of(&link.kind);
    let schedule = Schedule::new(setups(&task.site, task.link, timing), task.clock.now().mono);
    let schedule = match link.kind {
        LinkKind::ModbusTcp { .. } if !task.site.accepted(task.link).any_transaction => {
            schedule.telling_apart()
        }
        _ => schedule,
    };
    let bus =
        Bus { schedule, timing, asked: Asked::default(), unread: Vec::new(), was_away: true, unheard: None };
    task.keep_open(bus).await;
}

/// A bus, what is due on it, and what was written and waits to be read back.
struct Bus {
    schedule: Schedule,
    timing: LineTiming,
    asked: Asked,
    unread: Vec<Unread>,
    /// The line did not open when that was tried last.
    was_away: bool,
    /// The unit that was silent last: what comes late is from it.
    unheard: Option<usize>,
}

/// A write that waits for its point to be read.
struct Unread {
    equipment: EquipmentId,
    point: PointName,
    answer: Result<(), String>,
    done: oneshot::Sender<WriteEnd>,
}

impl Line for Bus {
    type Wire = Wire;

    async fn open(&mut self, task: &LinkTask) -> Result<(Wire, Option<String>), String> {
        let link = task.site.links.get(task.link).ok_or("the link is gone")?;
        let accept = task.site.accepted(task.link);
        match Wire::open(&link.kind, accept, |io| task.tapped(io)).await {
            Ok(open) => {
                tokio::time::sleep(connect_pause(&task.site, task.link)).await;
                if std::mem::take(&mut self.was_away) {
                    self.schedule.reconnected(task.clock.now().mono);
                }
                Ok(open)
            }
            Err(why) => {
                self.was_away = true;
                Err(why)
            }
        }
    }

    fn reloaded(&mut self, task: &LinkTask) {
        self.schedule.replace(setups(&task.site, task.link, self.timing), task.clock.now().mono);
    }

    async fn work(&mut self, task: &mut LinkTask, mut wire: Wire) -> End {
        match self.turns(task, &mut wire).await {
            None => End::Stopped,
            Some(Lost { why, is_worn }) => End::Lost { why, has_served: is_worn || wire.has_served() },
        }
    }

    fn away(&mut self) {
        self.unread.clear();
        self.asked.clear();
    }
}

/// Why a connection is given up; `is_worn`: by us.
struct Lost {
    why: String,
    is_worn: bool,
}

impl Lost {
    fn closed(why: &WireFault) -> Self {
        Self { why: why.to_string(), is_worn: false }
    }
}

impl Bus {
    /// Works an open connection; returns why it ended, or nothing when the daemon stops.
    async fn turns(&mut self, task: &mut LinkTask, wire: &mut Wire) -> Option<Lost> {
        let mut silent = 0;
        loop {
            while let Ok(command) = task.commands.try_recv() {
                self.take(task, command);
            }
            // A connection that is closed while nothing is asked is opened again: that is no failure of anybody's request.
            if wire.is_closed().await {
                return Some(Lost::closed(&WireFault::Closed));
            }
            if wire.heard_late()
                && let Some(index) = self.unheard.take()
            {
                self.schedule.heard_late(index, task.clock.now().mono);
            }
            if let Some(order) = self.asked.next(&self.schedule, task.clock.now().mono) {
                let closed = match order {
                    Order::Write(order) => {
                        self.write(task, wire, order).await;
                        None
                    }
                    Order::Try(order) => self.try_unit(task, wire, order, false).await,
                    Order::Again(order) => self.try_unit(task, wire, order, true).await,
                };
                self.asked.ended(task.clock.now().mono);
                if closed.is_some() {
                    return closed;
                }
                continue;
            }
            match self.schedule.next(task.clock.now().mono) {
                Next::Ask(ask) => {
                    let had_served = wire.has_served();
                    let sent = task.clock.now();
                    let outcome = wire.ask(&ask).await;
                    let now = task.clock.now();
                    tracing::trace!(unit = ask.unit, start = ask.start, count = ask.count, "{outcome:?}");
                    let index = self.schedule.equipment(ask.index);
                    let busy = now.mono.since(sent.mono);
                    let took = busy.saturating_sub(wire.waited());
                    task.note(index, &ask, &outcome, (busy, took), now, self.timing, wire.dropped());
                    if let Outcome::Failed(fault @ (WireFault::Closed | WireFault::Io(_))) = &outcome
                        && had_served
                        && self.schedule.spare(&ask)
                    {
                        return Some(Lost::closed(fault));
                    }
                    if !had_served && wire.has_served() {
                        task.works().await;
                    }
                    let report = self.schedule.answered(&ask, &outcome, took, now.mono);
                    task.note_state(&self.schedule, &ask, &outcome, &report, now);
                    self.read_back(&task.site, index, &report, &outcome);
                    if !task.tell(index, report, &outcome, now).await {
                        return None;
                    }
                    let Outcome::Failed(fault) = &outcome else {
                        silent = 0;
                        continue;
                    };
                    if fault.breaks_connection() {
                        return Some(Lost::closed(fault));
                    }
                    if fault.is_silence() {
                        self.unheard = Some(ask.index);
                    }
                    silent += 1;
                    if silent >= limits::SILENT_REQUESTS_MAX && self.timing == LineTiming::Tcp {
                        let why = "nothing usable comes over this connection any more".to_owned();
                        return Some(Lost { why, is_worn: true });
                    }
                }
                next @ (Next::Wait(_) | Next::Idle) => {
                    let polled = if let Next::Wait(until) = next { Some(until) } else { None };
                    let until = polled.into_iter().chain(self.asked.due(&self.schedule)).min();
                    let sleep = async {
                        match until {
                            Some(at) => tokio::time::sleep_until(task.clock.instant(at).into()).await,
                            None => std::future::pending().await,
                        }
                    };
                    tokio::select! {
                        () = sleep => {}
                        command = task.commands.recv() => self.take(task, command?),
                    }
                }
            }
        }
    }

    /// Takes in what the link is asked besides its schedule.
    fn take(&mut self, task: &mut LinkTask, command: LinkCommand) {
        match command {
            LinkCommand::ReadNow(id) => {
                if let Some((equipment, _)) = task.site.find(id.as_str()) {
                    self.schedule.read_now(equipment, task.clock.now().mono);
                }
            }
            LinkCommand::Write(order) => {
                let unit = task.site.find(order.equipment.as_str()).map(|(_, e)| e.unit);
                // Of equipment that is gone nothing is written: dropping the order tells its asker.
                if let Some(unit) = unit {
                    self.asked.push(unit, Order::Write(order));
                }
            }
            LinkCommand::Try(order) => self.asked.push(order.unit, Order::Try(order)),
            LinkCommand::Reloaded(reload) => {
                task.adopt(reload);
                self.reloaded(task);
            }
        }
    }

    /// Writes once, whatever comes of it: a second time could do what was not meant. The read after it tells what holds.
    async fn write(&mut self, task: &LinkTask, wire: &mut Wire, order: WriteOrder) {
        let Some((equipment, e)) = task.site.find(order.equipment.as_str()) else { return };
        let Some((_, p)) = e.profile.point(order.point.as_str()) else { return };
        let Some(address) = p.register().filter(|_| e.link == task.link) else { return };
        let settings = &e.profile.modbus;
        let write = Write {
            unit: e.unit,
            area: address.area,
            start: address.number,
            words: order.words,
            multiple: settings.write_multiple,
            timeout: settings.timeout,
        };
        let sent = task.clock.now();
        let outcome = wire.write(&write).await;
        let now = task.clock.now();
        task.note_write(equipment, &outcome, now.mono.since(sent.mono));
        let answer = match outcome {
            Outcome::Answered(_) => Ok(()),
            Outcome::Exception(code) => Err(exception_text(code)),
            Outcome::Failed(fault) => Err(fault.to_string()),
        };
        self.schedule.spoken_to(e.unit, Some(equipment), now.mono);
        self.unread.push(Unread { equipment: order.equipment, point: order.point, answer, done: order.done });
    }

    /// Asks a unit once, between two polls, while its asker waits. Returns why the connection is gone, where it was closed.
    async fn try_unit(
        &mut self,
        task: &LinkTask,
        wire: &mut Wire,
        order: TryOrder,
        is_again: bool,
    ) -> Option<Lost> {
        let TryOrder { unit, what, timeout, mut done } = order;
        let had_served = wire.has_served();
        let sent = task.clock.now();
        let end = tokio::select! {
            end = self.tried(task, wire, unit, what, timeout) => Some(end),
            () = done.closed() => None,
        };
        if end.is_none() {
            // Its answer may still come, as after a request that nobody answered.
            if let TryWhat::Read { area, count, .. } = what {
                self.schedule.unanswered(unit, area, count, task.clock.now().mono);
            }
            wire.after_failure().await;
        }
        let now = task.clock.now().mono;
        self.schedule.spoken_to(unit, None, now);
        {
            let mut stats = task.board.lock();
            stats.requests += 1;
            stats.busy += now.since(sent.mono);
        }
        match end? {
            Err(fault) => {
                let is_closed = fault.breaks_connection();
                if is_closed && had_served && !is_again {
                    let order = Order::Again(TryOrder { unit, what, timeout, done });
                    self.asked.push(unit, order);
                } else {
                    // Whoever asked may be gone.
                    let _told = done.send(TryEnd::Fault(fault.kind(), fault.to_string()));
                }
                is_closed.then(|| Lost { why: fault.to_string(), is_worn: true })
            }
            Ok(end) => {
                let _told = done.send(end);
                None
            }
        }
    }

    /// One request to a unit. What it leaves unanswered may still come: the schedule is told.
    async fn tried(
        &mut self,
        task: &LinkTask,
        wire: &mut Wire,
        unit: u8,
        what: TryWhat,
        timeout: Duration,
    ) -> Result<TryEnd, WireFault> {
        Ok(match what {
            TryWhat::Identify => {
                let limit = limits::TRY_TIMEOUT_MAX;
                match tokio::time::timeout(limit, wire.identify(unit, 6, timeout)).await {
                    Ok(Ok(Ok(objects))) => TryEnd::Identified(objects),
                    Ok(Ok(Err(code))) => TryEnd::Exception(code, exception_text(code)),
                    end => {
                        wire.after_failure().await;
                        return Err(end.ok().and_then(Result::err).unwrap_or(WireFault::Timeout));
                    }
                }
            }
            TryWhat::Read { area, count, .. }
                if self.timing.characters(area, count) > limits::TRY_TIMEOUT_MAX =>
            {
                TryEnd::Failed(format!(
                    "a read of {count} takes longer than {:?} at this baud rate: ask for fewer",
                    limits::TRY_TIMEOUT_MAX
                ))
            }
            TryWhat::Read { area, start, count }
                if self.schedule.is_outstanding(unit, area, count, task.clock.now().mono) =>
            {
                let text = format!("an answer to an earlier read of {} {start} may still come", area.word());
                TryEnd::Failed(text)
            }
            TryWhat::Read { area, start, count } => {
                let ask =
                    Ask { index: usize::MAX, unit, area, start, count, purpose: Purpose::Poll(0), timeout };
                match wire.ask(&ask).await {
                    Outcome::Answered(words) => TryEnd::Words(words),
                    Outcome::Exception(code) => TryEnd::Exception(code, exception_text(code)),
                    Outcome::Failed(fault) => {
                        self.schedule.unanswered(unit, area, count, task.clock.now().mono);
                        return Err(fault);
                    }
                }
            }
        })
    }

    /// Tells those whose point was read since they wrote.
    fn read_back(&mut self, site: &Site, index: Option<EquipmentIndex>, report: &Report, outcome: &Outcome) {
        let Some(equipment) = index.and_then(|i| site.equipment.get(i.0)).filter(|_| !self.unread.is_empty())
        else {
            return;
        };
        let (plan, words) = match (report, outcome) {
            (Report::Values(plan), Outcome::Answered(words)) => (plan, Ok(words)),
            (Report::Failed(plan, why) | Report::Refused(plan, why), _) => (plan, Err(why)),
            (Report::Values(_) | Report::Nothing, _) => return,
        };
        let planned = |u: &Unread| {
            let (point, _) = equipment.profile.point(u.point.as_str())?;
            plan.points.iter().find(|p| u.equipment == equipment.id && p.point == point)
        };
        for unread in self.unread.extract_if(.., |u| planned(u).is_some()) {
            let planned = planned(&unread);
            let read_back = match (words, planned) {
                (Ok(words), Some(p)) => {
                    let first = usize::from(p.offset);
                    Ok(words.get(first..first + usize::from(p.width)).unwrap_or(&[]).to_vec())
                }
                (Err(why), _) => Err(why.clone()),
                (Ok(_), None) => continue,
            };
            // Whoever asked may be gone.
            let _told = unread.done.send(WriteEnd { answer: unread.answer, read_back });
        }
    }
}

/// How long a new network connection rests before its first request: as long as the slowest device behind it wants.
fn connect_pause(site: &Site, link: usize) -> Duration {
    let is_network = site.links.get(link).is_some_and(|l| l.kind.is_network());
    let pauses = site.equipment.iter().filter(|e| e.link == link).map(|e| e.profile.modbus.connect_pause);
    pauses.max().filter(|_| is_network).unwrap_or_default()
}

fn setups(site: &Site, link: usize, timing: LineTiming) -> Vec<UnitSetup> {
    let on_link = site.equipment.iter().enumerate().filter(|(_, e)| e.link == link);
    on_link
        .map(|(index, e)| UnitSetup {
            equipment: EquipmentIndex(index),
            unit: e.unit,
            requests: plan(&e.profile, timing),
            timeout: e.profile.modbus.timeout,
            retries: e.profile.modbus.retries,
            min_interval: e.profile.modbus.min_interval,
        })
        .collect()
}

impl LinkTask {
    /// Sends readings on; false when nobody takes them any more.
    async fn tell(
        &self,
        equipment: Option<EquipmentIndex>,
        report: Report,
        outcome: &Outcome,
        now: Now,
    ) -> bool {
        let Some(equipment) = equipment else { return true };
        let Some(profile) = self.site.equipment.get(equipment.0).map(|e| &e.profile) else { return true };
        let batch = match report {
            Report::Nothing => return true,
            Report::Values(plan) => {
                let Outcome::Answered(words) = outcome else { return true };
                Batch {
                    at: now,
                    equipment,
                    readings: decoded(profile, &plan, words, now),
                    presence: Presence::Answered,
                    done: None,
                    site: 0,
                }
            }
            Report::Failed(plan, why) => unread(equipment, &plan, &BadReason::NoAnswer(why.into()), now),
            Report::Refused(plan, why) => unread(equipment, &plan, &BadReason::Refused(why.into()), now),
        };
        self.send(batch).await
    }
}

/// Why the points of a request have no value.
fn unread(equipment: EquipmentIndex, plan: &PlannedRequest, why: &BadReason, at: Now) -> Batch {
    let readings = plan.points.iter().map(|p| (p.point, Reading { value: Err(why.clone()), at })).collect();
    Batch { at, equipment, readings, presence: Presence::NoAnswer, done: None, site: 0 }
}

fn decoded(profile: &Profile, plan: &PlannedRequest, words: &[u16], at: Now) -> Vec<(PointIndex, Reading)> {
    plan.points
        .iter()
        .filter_map(|p| {
            let point = profile.points.get(p.point.0)?;
            let first = usize::from(p.offset);
            let raw = words.get(first..first + usize::from(p.width))?;
            let factor = p.factor.and_then(|f| words.get(usize::from(f)).copied());
            Some((p.point, Reading { value: decode(point, raw, factor), at }))
        })
        .collect()
}
