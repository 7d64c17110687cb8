//! The task of one Modbus link: sends what the schedule returns, decodes the answers and reports the readings.

use std::time::Duration;

use tokio::sync::oneshot;

use super::asked::{HumanRequests, Order};
use super::fault::{WireFault, exception_text};
use super::plan::{LineTiming, PlannedRequest, plan};
use super::schedule::{Ask, Next, Outcome, Purpose, Report, Schedule, UnitSetup};
use super::wire::{ModbusConnection, WriteRequest};
use crate::limits;
use crate::link::task::{ConnectionEnd, Connector};
use crate::link::{Batch, LinkCommand, LinkTask, TryEnd, TryOrder, TryWhat, WriteEnd, WriteOrder};
use crate::profile::{Profile, decode};
use crate::site::{LinkKind, Site};
use crate::words::{BadReason, EquipmentId, EquipmentIndex, Now, PointIndex, PointName, Presence, Reading};

/// Serves a Modbus link until the daemon stops taking readings.
pub(in crate::link) async fn serve(task: LinkTask) {
    let Some(link) = task.site.links.get(task.link) else { return };
    let timing = LineTiming::of(&link.kind);
    let schedule = Schedule::new(setups(&task.site, task.link, timing), task.clock.now().mono);
    let schedule = match link.kind {
        LinkKind::ModbusTcp { .. } if !task.site.accepted(task.link).any_transaction => {
            schedule.with_transaction_ids()
        }
        _ => schedule,
    };
    let bus = Bus {
        schedule,
        timing,
        asked: HumanRequests::default(),
        read_backs: Vec::new(),
        was_away: true,
        last_silent: None,
    };
    task.keep_open(bus).await;
}

/// A bus: its schedule, the requests of people, and the writes that wait to be read back.
struct Bus {
    schedule: Schedule,
    timing: LineTiming,
    asked: HumanRequests,
    read_backs: Vec<ReadBack>,
    /// True if the last attempt to open the line failed.
    was_away: bool,
    /// The index of the unit that did not answer last. A late answer is taken as a sign of life of this unit.
    last_silent: Option<usize>,
}

/// A write that waits until its point is read back.
struct ReadBack {
    equipment: EquipmentId,
    point: PointName,
    answer: Result<(), String>,
    done: oneshot::Sender<WriteEnd>,
}

impl Connector for Bus {
    type Connection = ModbusConnection;

    async fn open(&mut self, task: &LinkTask) -> Result<(ModbusConnection, Option<String>), String> {
        let link = task.site.links.get(task.link).ok_or("the link is not in andon.toml any more")?;
        let accept = task.site.accepted(task.link);
        match ModbusConnection::open(&link.kind, accept, |io| task.tapped(io)).await {
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

    async fn work(&mut self, task: &mut LinkTask, mut wire: ModbusConnection) -> ConnectionEnd {
        match self.poll(task, &mut wire).await {
            None => ConnectionEnd::Stopped,
            Some(Lost { why, is_worn }) => {
                ConnectionEnd::Lost { why, has_served: is_worn || wire.has_served() }
            }
        }
    }

    fn away(&mut self) {
        self.read_backs.clear();
        self.asked.clear();
    }
}

/// The reason why a connection is given up. `is_worn` is true if andon itself gives it up.
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
    /// Serves an open connection. Returns why it ended, or `None` when the daemon stops.
    async fn poll(&mut self, task: &mut LinkTask, wire: &mut ModbusConnection) -> Option<Lost> {
        let mut silent = 0;
        loop {
            while let Ok(command) = task.commands.try_recv() {
                self.take(task, command);
            }
            // If the other side closes an idle connection, it is opened again; no request has failed.
            if wire.is_closed().await {
                return Some(Lost::closed(&WireFault::Closed));
            }
            if wire.heard_late()
                && let Some(index) = self.last_silent.take()
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
                    Order::TryAgain(order) => self.try_unit(task, wire, order, true).await,
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
                        && self.schedule.send_again(&ask)
                    {
                        return Some(Lost::closed(fault));
                    }
                    if !had_served && wire.has_served() {
                        task.works().await;
                    }
                    let report = self.schedule.answered(&ask, &outcome, took, now.mono);
                    task.note_state(&self.schedule, &ask, &outcome, &report, now);
                    self.read_back(&task.site, index, &report, &outcome);
                    if !task.report(index, report, &outcome, now).await {
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
                        self.last_silent = Some(ask.index);
                    }
                    silent += 1;
                    if silent >= limits::SILENT_REQUESTS_MAX && self.timing == LineTiming::Tcp {
                        let why = "no valid response arrives through this connection any more".to_owned();
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

    /// Accepts a command to the link.
    fn take(&mut self, task: &mut LinkTask, command: LinkCommand) {
        match command {
            LinkCommand::ReadNow(id) => {
                if let Some((equipment, _)) = task.site.find(id.as_str()) {
                    self.schedule.read_now(equipment, task.clock.now().mono);
                }
            }
            LinkCommand::Write(order) => {
                let unit = task.site.find(order.equipment.as_str()).map(|(_, e)| e.unit);
                // If the equipment is not on this link any more, the order is dropped, which tells its sender.
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

    /// Sends a write exactly once, because a second one could have an effect that was not intended. The following
    /// read shows which value the device holds.
    async fn write(&mut self, task: &LinkTask, wire: &mut ModbusConnection, order: WriteOrder) {
        let Some((equipment, e)) = task.site.find(order.equipment.as_str()) else { return };
        let Some((_, p)) = e.profile.point(order.point.as_str()) else { return };
        let Some(address) = p.register().filter(|_| e.link == task.link) else { return };
        let settings = &e.profile.modbus;
        let write = WriteRequest {
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
        self.read_backs.push(ReadBack {
            equipment: order.equipment,
            point: order.point,
            answer,
            done: order.done,
        });
    }

    /// Sends one request of a person between two polls. Returns the reason if the connection was closed.
    async fn try_unit(
        &mut self,
        task: &LinkTask,
        wire: &mut ModbusConnection,
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
            // The answer may still arrive, as after every request without an answer.
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
                    let order = Order::TryAgain(TryOrder { unit, what, timeout, done });
                    self.asked.push(unit, order);
                } else {
                    // The sender may no longer wait.
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

    /// Sends one request to a unit. If there is no answer, the schedule learns that the answer may still arrive.
    async fn tried(
        &mut self,
        task: &LinkTask,
        wire: &mut ModbusConnection,
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
                    "a read of {count} takes longer than {:?} at this baud rate: read fewer",
                    limits::TRY_TIMEOUT_MAX
                ))
            }
            TryWhat::Read { area, start, count }
                if self.schedule.is_outstanding(unit, area, count, task.clock.now().mono) =>
            {
                let text =
                    format!("a late response to an earlier read of {} {start} may still arrive", area.word());
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

    /// Answers the writes whose point was read back.
    fn read_back(&mut self, site: &Site, index: Option<EquipmentIndex>, report: &Report, outcome: &Outcome) {
        let Some(equipment) =
            index.and_then(|i| site.equipment.get(i.0)).filter(|_| !self.read_backs.is_empty())
        else {
            return;
        };
        let (plan, words) = match (report, outcome) {
            (Report::Values(plan), Outcome::Answered(words)) => (plan, Ok(words)),
            (Report::Failed(plan, why) | Report::Refused(plan, why), _) => (plan, Err(why)),
            (Report::Values(_) | Report::Nothing, _) => return,
        };
        let planned = |u: &ReadBack| {
            let (point, _) = equipment.profile.point(u.point.as_str())?;
            plan.points.iter().find(|p| u.equipment == equipment.id && p.point == point)
        };
        for waiting in self.read_backs.extract_if(.., |u| planned(u).is_some()) {
            let planned = planned(&waiting);
            let read_back = match (words, planned) {
                (Ok(words), Some(p)) => {
                    let first = usize::from(p.offset);
                    Ok(words.get(first..first + usize::from(p.width)).unwrap_or(&[]).to_vec())
                }
                (Err(why), _) => Err(why.clone()),
                (Ok(_), None) => continue,
            };
            // The sender may no longer wait.
            let _told = waiting.done.send(WriteEnd { answer: waiting.answer, read_back });
        }
    }
}

/// The pause between opening a TCP connection and the first request: the longest that a device on the link needs.
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
    /// Sends readings. Returns false when the daemon stops taking them.
    async fn report(
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
            Report::Failed(plan, why) => not_read(equipment, &plan, &BadReason::NoAnswer(why.into()), now),
            Report::Refused(plan, why) => not_read(equipment, &plan, &BadReason::Refused(why.into()), now),
        };
        self.send(batch).await
    }
}

/// A batch that says why the points of a request have no value.
fn not_read(equipment: EquipmentIndex, plan: &PlannedRequest, why: &BadReason, at: Now) -> Batch {
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
