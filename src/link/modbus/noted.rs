//! Writes the result of each request on a bus into the link's statistics: counts, times, last answers, and the state
//! of the equipment.

use std::time::Duration;

use super::fault::exception_text;
use super::plan::{LineTiming, PlannedRequest};
use super::schedule::{Ask, Outcome, Purpose, Report, Schedule};
use crate::limits;
use crate::link::{AnswerKey, LastAnswer, LinkState, LinkTask};
use crate::words::{EquipmentIndex, Now};

impl LinkTask {
    #[expect(clippy::too_many_arguments, reason = "each is one value of the same request")]
    pub(super) fn note(
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
                        is_used_by_fault: false,
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

    pub(super) fn note_write(&self, index: EquipmentIndex, outcome: &Outcome, took: Duration) {
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

    /// Sets the state of the equipment after a request.
    pub(super) fn note_state(
        &self,
        schedule: &Schedule,
        ask: &Ask,
        outcome: &Outcome,
        report: &Report,
        now: Now,
    ) {
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
        let is_answer = matches!(outcome, Outcome::Answered(_));
        // A request that will be repeated does not change the state yet.
        if *report == Report::Nothing && !is_answer {
            return;
        }
        let fault = match outcome {
            Outcome::Answered(_) => String::new(),
            Outcome::Exception(code) => exception_text(*code),
            Outcome::Failed(fault) => fault.to_string(),
        };
        let (state, text) = match schedule.troubles(ask.index) {
            _ if schedule.is_probed(ask.index) => {
                (LinkState::Offline, format!("{fault}; andon tries again from time to time"))
            }
            ((0, all), _) if all > 0 && is_late => {
                let link = self.site.links.get(self.link).map_or("LINK", |l| l.name.as_str());
                let text = format!(
                    "answers, but {late} reads were skipped: the line has no time for all requests (see: andon link plan {link})"
                );
                (LinkState::Degraded, text)
            }
            ((0, _), _) => (LinkState::Online, "answers".to_owned()),
            ((count, all), Some(why)) if count < all || is_answer => {
                (LinkState::Degraded, format!("answers, but {count} of its requests fail: {why}"))
            }
            ((_, _), why) => (LinkState::Degraded, why.map_or(fault, str::to_owned)),
        };
        equipment.set_state(state, &text, now);
    }
}
