//! One task a bus: asks what the schedule says, decodes, reports.

use std::sync::Arc;
use std::time::Duration;

use super::plan::{LineTiming, PlannedRequest, plan};
use super::schedule::{Ask, Next, Outcome, Purpose, Report, Schedule, UnitSetup, exception_text};
use super::wire::Wire;
use crate::link::task::Line;
use crate::link::{AnswerKey, Batch, LastAnswer, LinkCommand, LinkState, LinkTask};
use crate::profile::{Profile, decode};
use crate::site::Site;
use crate::words::{BadReason, EquipmentIndex, Now, PointIndex, Presence, Reading};

/// Works a link until the daemon stops taking readings.
pub(in crate::link) async fn serve(task: LinkTask) {
    let Some(link) = task.site.links.get(task.link) else { return };
    let timing = LineTiming::of(&link.kind);
    let schedule = Schedule::new(setups(&task.site, task.link, timing), task.clock.now().mono);
    task.keep_open(Bus { schedule, timing }).await;
}

/// A bus and what is due on it.
struct Bus {
    schedule: Schedule,
    timing: LineTiming,
}

impl Line for Bus {
    type Wire = Wire;

    async fn open(&mut self, task: &LinkTask) -> Result<(Wire, Option<String>), String> {
        let link = task.site.links.get(task.link).ok_or("the link is gone")?;
        let (wire, remark) = Wire::open(&link.kind).await?;
        self.schedule.reconnected();
        Ok((wire, remark))
    }

    async fn work(&mut self, task: &mut LinkTask, wire: Wire) -> Option<String> {
        task.work(wire, &mut self.schedule, self.timing).await
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
    /// Works an open connection; returns why it ended, or nothing when the daemon stops.
    async fn work(&mut self, mut wire: Wire, schedule: &mut Schedule, timing: LineTiming) -> Option<String> {
        loop {
            while let Ok(LinkCommand::ReadNow(equipment)) = self.commands.try_recv() {
                schedule.read_now(equipment, self.clock.now().mono);
            }
            match schedule.next(self.clock.now().mono) {
                Next::Ask(ask) => {
                    let sent = self.clock.now();
                    let outcome = wire.ask(&ask).await;
                    let now = self.clock.now();
                    self.note(
                        schedule.equipment(ask.index),
                        &ask,
                        &outcome,
                        sent,
                        now,
                        timing,
                        wire.dropped(),
                    );
                    let took = now.mono.since(sent.mono);
                    let report = schedule.answered(&ask, &outcome, took, now.mono);
                    self.note_state(schedule, &ask, &outcome, now);
                    if !self.tell(schedule.equipment(ask.index), report, &outcome, now).await {
                        return None;
                    }
                    if let Outcome::Failed(fault) = &outcome
                        && fault.breaks_connection()
                    {
                        return Some(fault.to_string());
                    }
                }
                Next::Wait(until) => {
                    let until = tokio::time::Instant::from_std(self.clock.instant(until));
                    tokio::select! {
                        () = tokio::time::sleep_until(until) => {}
                        command = self.commands.recv() => {
                            let LinkCommand::ReadNow(equipment) = command?;
                            schedule.read_now(equipment, self.clock.now().mono);
                        }
                    }
                }
                Next::Idle => {
                    let _command = self.commands.recv().await?;
                }
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one value each, all of one request")]
    fn note(
        &self,
        index: Option<EquipmentIndex>,
        ask: &Ask,
        outcome: &Outcome,
        sent: Now,
        now: Now,
        timing: LineTiming,
        dropped: u64,
    ) {
        let mut stats = self.board.lock();
        stats.requests += 1;
        let took = now.mono.since(sent.mono);
        stats.busy +=
            if timing == LineTiming::Tcp { took } else { took.max(timing.characters(ask.area, ask.count)) };
        if dropped > 0 {
            stats.errors.insert("dropped-frames".to_owned(), dropped);
        }
        if let Outcome::Failed(fault) = outcome {
            stats.count_error(fault.kind());
        }
        let Some(equipment) = index.and_then(|at| stats.equipment.get_mut(&at.0)) else { return };
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

    fn note_state(&self, schedule: &Schedule, ask: &Ask, outcome: &Outcome, now: Now) {
        let Some(index) = schedule.equipment(ask.index) else { return };
        let mut stats = self.board.lock();
        let Some(equipment) = stats.equipment.get_mut(&index.0) else { return };
        equipment.missed = schedule.missed(ask.index);
        match outcome {
            Outcome::Answered(_) => match schedule.refused(ask.index) {
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
                }
            }
        };
        self.readings.send(batch).await.is_ok()
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
