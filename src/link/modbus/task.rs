//! One task a bus: asks what the schedule says, decodes, reports.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::asked::{Asked, Order};
use super::fault::{WireFault, exception_text};
use super::plan::{LineTiming, PlannedRequest, plan};
use super::schedule::{Ask, Next, Outcome, Purpose, Report, Schedule, UnitSetup};
use super::wire::{Wire, Write};
use crate::limits;
use crate::link::task::Line;
use crate::link::{
    AnswerKey, Batch, LastAnswer, LinkCommand, LinkState, LinkTask, TryEnd, TryOrder, TryWhat, WriteEnd,
    WriteOrder,
};
use crate::profile::{Profile, decode};
use crate::site::Site;
use crate::words::{BadReason, EquipmentId, EquipmentIndex, Now, PointIndex, PointName, Presence, Reading};

/// Works a link until the daemon stops taking readings.
pub(in crate::link) async fn serve(task: LinkTask) {
    let Some(link) = task.site.links.get(task.link) else { return };
    let timing = LineTiming::of(&link.kind);
    let schedule = Schedule::new(setups(&task.site, task.link, timing), task.clock.now().mono);
    task.keep_open(Bus { schedule, timing, asked: Asked::default(), unread: Vec::new() }).await;
}

/// A bus, what is due on it, and what was written and waits to be read back.
struct Bus {
    schedule: Schedule,
    timing: LineTiming,
    asked: Asked,
    unread: Vec<Unread>,
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
        let (wire, remark) = Wire::open(&link.kind, |io| task.tapped(io)).await?;
        self.schedule.reconnected(task.clock.now().mono);
        Ok((wire, remark))
    }

    fn reloaded(&mut self, task: &LinkTask) {
        self.schedule.replace(setups(&task.site, task.link, self.timing), task.clock.now().mono);
    }

    async fn work(&mut self, task: &mut LinkTask, mut wire: Wire) -> Option<String> {
        let end = self.turns(task, &mut wire).await;
        // Whoever waits is told by this that the link is away.
        self.unread.clear();
        self.asked.clear();
        end
    }
}

impl Bus {
    /// Works an open connection; returns why it ended, or nothing when the daemon stops.
    async fn turns(&mut self, task: &mut LinkTask, wire: &mut Wire) -> Option<String> {
        let mut silent = 0;
        loop {
            while let Ok(command) = task.commands.try_recv() {
                self.take(task, command);
            }
            if let Some(order) = self.asked.next(&self.schedule, task.clock.now().mono) {
                match order {
                    Order::Write(order) => self.write(task, wire, order).await,
                    Order::Try(order) => self.try_unit(task, wire, order).await,
                }
                self.asked.ended(task.clock.now().mono);
                continue;
            }
            match self.schedule.next(task.clock.now().mono) {
                Next::Ask(ask) => {
                    let sent = task.clock.now();
                    let outcome = wire.ask(&ask).await;
                    let now = task.clock.now();
                    let index = self.schedule.equipment(ask.index);
                    let busy = now.mono.since(sent.mono);
                    let took = busy.saturating_sub(wire.waited());
                    task.note(index, &ask, &outcome, (busy, took), now, self.timing, wire.dropped());
                    let report = self.schedule.answered(&ask, &outcome, took, now.mono);
                    task.note_state(&self.schedule, &ask, &outcome, now);
                    self.read_back(&task.site, index, &report, &outcome);
                    if !task.tell(index, report, &outcome, now).await {
                        return None;
                    }
                    if let Outcome::Failed(fault) = &outcome
                        && fault.breaks_connection()
                    {
                        return Some(fault.to_string());
                    }
                    silent = if matches!(outcome, Outcome::Failed(_)) { silent + 1 } else { 0 };
                    if silent >= limits::SILENT_REQUESTS_MAX && self.timing == LineTiming::Tcp {
                        return Some("nothing usable comes over this connection any more".to_owned());
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

    /// Asks a unit once, between two polls, while its asker waits.
    async fn try_unit(&mut self, task: &LinkTask, wire: &mut Wire, order: TryOrder) {
        let TryOrder { unit, what, timeout, mut done } = order;
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
        if let Some(end) = end {
            // Whoever asked may be gone.
            let _told = done.send(end);
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
    ) -> TryEnd {
        match what {
            TryWhat::Identify => {
                let limit = limits::TRY_TIMEOUT_MAX;
                match tokio::time::timeout(limit, wire.identify(unit, 6, timeout)).await {
                    Ok(Ok(Ok(objects))) => TryEnd::Identified(objects),
                    Ok(Ok(Err(code))) => TryEnd::Exception(code, exception_text(code)),
                    end => {
                        wire.after_failure().await;
                        let fault = end.ok().and_then(Result::err).unwrap_or(WireFault::Timeout);
                        TryEnd::Failed(fault.to_string())
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
            TryWhat::Read { area, start, count } if self.schedule.is_outstanding(unit, area, count) => {
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
                        TryEnd::Failed(fault.to_string())
                    }
                }
            }
        }
    }

    /// Tells those whose point was read since they wrote.
    fn read_back(&mut self, site: &Site, index: Option<EquipmentIndex>, report: &Report, outcome: &Outcome) {
        let Some(equipment) = index.and_then(|i| site.equipment.get(i.0)).filter(|_| !self.unread.is_empty())
        else {
            return;
        };
        let (plan, words) = match (report, outcome) {
            (Report::Values(plan), Outcome::Answered(words)) => (plan, Ok(words)),
            (Report::Failed(plan, why), _) => (plan, Err(why)),
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
    #[expect(clippy::too_many_arguments, reason = "one value each, all of one request")]
    fn note(
        &self,
        index: Option<EquipmentIndex>,
        ask: &Ask,
        outcome: &Outcome,
        (busy, took): (Duration, Duration),
        now: Now,
        timing: LineTiming,
        dropped: u64,
    ) {
        let mut stats = self.board.lock();
        stats.requests += 1;
        stats.busy +=
            if timing == LineTiming::Tcp { busy } else { busy.max(timing.characters(ask.area, ask.count)) };
        if dropped > 0 {
            *stats.errors.entry("dropped-frames".to_owned()).or_default() += dropped;
        }
        if let Outcome::Failed(fault) = outcome {
            stats.count_error(fault.kind());
        }
        let Some(equipment) = index.and_then(|at| stats.of(&self.site, at)) else { return };
        equipment.requests += 1;
        match outcome {
            Outcome::Answered(words) => {
                equipment.note_time(took);
                if let Purpose::Poll(_) = ask.purpose {
                    let plan = PlannedRequest {
                        area: ask.area,
                        start: ask.start,
                        count: ask.count,
                        every: Duration::ZERO,
                        points: Vec::new(),
                        is_judged: false,
                    };
                    let slot = equipment
                        .last
                        .entry(AnswerKey::Read(ask.area.word(), ask.start))
                        .or_insert_with(|| LastAnswer {
                            request: format!("unit {} {}", ask.unit, plan.text()),
                            text: String::new(),
                            words: Vec::new(),
                            start: ask.start,
                            at: now,
                            took,
                        });
                    slot.words.clone_from(words);
                    slot.at = now;
                    slot.took = took;
                }
            }
            Outcome::Exception(code) => {
                *equipment.errors.entry(format!("exception-{code}")).or_default() += 1
            }
            Outcome::Failed(fault) => *equipment.errors.entry(fault.kind().to_owned()).or_default() += 1,
        }
    }

    fn note_write(&self, index: EquipmentIndex, outcome: &Outcome, took: Duration) {
        let kind = match outcome {
            Outcome::Answered(_) => None,
            Outcome::Exception(code) => Some(format!("exception-{code}")),
            Outcome::Failed(fault) => Some(fault.kind().to_owned()),
        };
        let mut stats = self.board.lock();
        stats.requests += 1;
        stats.busy += took;
        if let Outcome::Failed(fault) = outcome {
            stats.count_error(fault.kind());
        }
        let Some(equipment) = stats.of(&self.site, index) else { return };
        equipment.requests += 1;
        if let Some(kind) = kind {
            *equipment.errors.entry(kind).or_default() += 1;
        }
    }

    fn note_state(&self, schedule: &Schedule, ask: &Ask, outcome: &Outcome, now: Now) {
        let Some(index) = schedule.equipment(ask.index) else { return };
        let mut stats = self.board.lock();
        let Some(equipment) = stats.of(&self.site, index) else { return };
        let late = schedule.late(ask.index);
        if late > equipment.late {
            equipment.late_at = Some(now);
        }
        equipment.late = late;
        equipment.missed = schedule.missed(ask.index);
        let is_late = equipment.late_at.is_some_and(|at| now.mono.since(at.mono) < limits::LATE_SHOWN);
        match outcome {
            Outcome::Answered(_) => match schedule.refused(ask.index) {
                (0, _) if is_late => {
                    let text = format!(
                        "answers, but {late} turns came too late: the line is asked more than it carries"
                    );
                    equipment.set_state(LinkState::Degraded, &text, now);
                }
                (0, _) => equipment.set_state(LinkState::Online, "answers", now),
                (count, code) => {
                    let why = exception_text(code.unwrap_or(0));
                    let text = format!("answers, but not {count} of its requests: {why}");
                    equipment.set_state(LinkState::Degraded, &text, now);
                }
            },
            Outcome::Exception(code) => {
                equipment.set_state(LinkState::Degraded, &exception_text(*code), now);
            }
            Outcome::Failed(fault) if schedule.is_probed(ask.index) => {
                equipment.set_state(LinkState::Offline, &format!("{fault}; probed from time to time"), now);
            }
            Outcome::Failed(fault) => equipment.set_state(LinkState::Degraded, &fault.to_string(), now),
        }
    }

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
            Report::Failed(plan, why) => {
                let why: Arc<str> = why.into();
                let bad =
                    |p: PointIndex| (p, Reading { value: Err(BadReason::NoAnswer(why.clone())), at: now });
                Batch {
                    at: now,
                    equipment,
                    readings: plan.points.iter().map(|p| bad(p.point)).collect(),
                    presence: Presence::NoAnswer,
                    done: None,
                    site: 0,
                }
            }
        };
        self.send(batch).await
    }
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
