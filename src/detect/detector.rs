//! The detector: takes readings and returns transitions of faults.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::aging::stale_at;
use super::baselines::Baselines;
use super::remembered::{Memories, Resolved, View};
use super::shared::{Shared, SharedList};
use super::state::{Due, Phase, Slot, Transition, TransitionKind, Unit, Watch};
use crate::expr::{Operands, Program, Truth};
use crate::limits;
use crate::profile::{Fault, Question, Trigger};
use crate::site::Site;
use crate::words::{EquipmentIndex, Mono, Now, PointIndex, Presence, Reading, render_real, shortened};

/// Evaluates every fault of a site. A clone costs a few handles: a later change copies the values of one piece of
/// equipment, one fault and one window at a time.
#[derive(Debug, Clone)]
pub struct Detector {
    pub(super) site: Arc<Site>,
    pub(super) units: SharedList<Unit>,
    pub(super) watches: SharedList<Watch>,
    pub(super) memories: Memories,
    pub(super) baselines: Baselines,
    /// Everything that is due, in the order of time.
    pub(super) due: Shared<BTreeSet<(Mono, Due)>>,
    pub(super) transitions: Vec<Transition>,
}

impl Detector {
    /// A detector without readings.
    #[must_use]
    pub fn new(site: Arc<Site>, now: Now) -> Self {
        let mut d = Self {
            site: site.clone(),
            units: SharedList::default(),
            watches: SharedList::default(),
            memories: Memories::default(),
            baselines: Baselines::default(),
            due: Shared::default(),
            transitions: Vec::new(),
        };
        for (e, equipment) in site.equipment.iter().enumerate() {
            let first = d.watches.len();
            for fault in 0..equipment.profile.faults.len() {
                d.watches.push(Watch::new(EquipmentIndex(e), fault));
            }
            let silence = equipment.profile.faults.iter().position(|f| f.trigger == Trigger::Silence);
            let blank = Slot::default();
            d.units.push(Unit {
                slots: vec![blank; equipment.profile.points.len()],
                lost: false,
                last_answer: None,
                started: now.mono,
                offline_after: equipment.profile.offline_after,
                silence: first + silence.unwrap_or(0),
                faults: (first..d.watches.len()).collect(),
                stale_due: None,
            });
            if let Some(limit) = equipment.profile.offline_after {
                d.due.insert((now.mono + limit, Due::Silence(e)));
            }
        }
        for (e, equipment) in site.equipment.iter().enumerate() {
            for program in equipment.profile.faults.iter().flat_map(programs) {
                d.memories.register(&site, EquipmentIndex(e), program, &mut d.units);
            }
        }
        for (index, watch) in d.watches.iter_mut().enumerate() {
            match fault_of(&site, watch).map(|f| &f.trigger) {
                Some(Trigger::Condition { when, clear }) => {
                    watch.when = d.memories.resolve(&site, watch.equipment, when);
                    if let Some(clear) = clear {
                        watch.clear = d.memories.resolve(&site, watch.equipment, clear);
                    }
                }
                Some(Trigger::Excursion(spec)) => {
                    watch.when = Resolved::of(watch.equipment, &spec.points);
                    if let Some(regime) = &spec.regime {
                        watch.clear = d.memories.resolve(&site, watch.equipment, regime);
                    }
                    if let Some(cycle) = &spec.cycle {
                        watch.cycle = d.memories.resolve(&site, watch.equipment, cycle);
                    }
                    let at = d.baselines.add(index, spec);
                    watch.baseline = Some(at);
                    for (e, p) in watch.leads(spec) {
                        let unit = d.units.get_mut(e.0);
                        unit.and_then(|u| u.slots.get_mut(p.0)).into_iter().for_each(|s| s.leads.push(at));
                    }
                }
                Some(Trigger::Silence) | None => {}
            }
            if let Some(unless) = fault_of(&site, watch).and_then(|f| f.unless.as_ref()) {
                watch.unless = d.memories.resolve(&site, watch.equipment, unless);
            }
            for (e, p) in watch.places() {
                if let Some(slot) = d.units.get_mut(e.0).and_then(|u| u.slots.get_mut(p.0))
                    && !slot.dependents.contains(&index)
                {
                    slot.dependents.push(index);
                }
            }
        }
        d
    }

    /// Restores an alarm that was active before a restart. Returns false if the site does not have this fault any
    /// more.
    pub fn restore_active(&mut self, equipment: &str, fault: &str) -> bool {
        let Some(index) = self.watch_of(equipment, fault) else { return false };
        let Some(watch) = self.watches.get_mut(index) else { return false };
        watch.phase = Phase::Active { clearing: None };
        self.baselines.restore_excursion(watch);
        if let Some(unit) = self.units.get_mut(watch.equipment.0).filter(|u| u.silence == index) {
            unit.lost = true;
        }
        true
    }

    pub(super) fn watch_of(&self, equipment: &str, fault: &str) -> Option<usize> {
        let (index, e) = self.site.find(equipment)?;
        let at = e.profile.faults.iter().position(|f| f.name.as_str() == fault)?;
        self.units.get(index.0)?.faults.get(at).copied()
    }

    /// True if the fault is active.
    #[must_use]
    pub fn is_active(&self, equipment: EquipmentIndex, fault: usize) -> bool {
        let watch =
            self.units.get(equipment.0).and_then(|u| u.faults.get(fault)).and_then(|w| self.watches.get(*w));
        watch.is_some_and(Watch::is_active)
    }

    /// True if the equipment is lost: no good answer within `offline_after`, or reported as offline.
    #[must_use]
    pub fn is_lost(&self, equipment: EquipmentIndex) -> bool {
        self.units.get(equipment.0).is_some_and(|u| u.lost)
    }

    /// The time at which [`Self::elapsed`] must be called next; `None` if nothing is due.
    #[must_use]
    pub fn next_due(&self) -> Option<Mono> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Returns the faults that were raised or cleared since the last call, in order.
    pub fn take_transitions(&mut self) -> Vec<Transition> {
        std::mem::take(&mut self.transitions)
    }

    /// Handles everything that is due up to `now`.
    pub fn elapsed(&mut self, now: Now) {
        while let Some((at, due)) = self.due.first().copied().filter(|(at, _)| *at <= now.mono) {
            self.due.remove(&(at, due));
            let then = now.at(at);
            match due {
                Due::Delay(w) => self.delay_ended(w, then),
                Due::Stale(e) => self.grow_stale(e, then),
                Due::Silence(e) => self.grow_silent(e, then),
                Due::Age(memory) => self.grow_old(memory, then),
            }
        }
    }

    /// Takes the readings of one answer as one evaluation. Readings that all say "no answer" do not count as an
    /// answer; if `presence` reports the equipment as lost, it is lost at once.
    pub fn readings(
        &mut self,
        now: Now,
        equipment: EquipmentIndex,
        readings: Vec<(PointIndex, Reading)>,
        presence: Presence,
    ) {
        self.take(now, std::iter::once((equipment, readings)), presence);
        if presence == Presence::Lost {
            self.lose(equipment.0, now, now);
        }
    }

    /// Takes good answers of several pieces of equipment as one evaluation.
    pub(super) fn answers(&mut self, now: Now, answers: Vec<(EquipmentIndex, Vec<(PointIndex, Reading)>)>) {
        self.take(now, answers.into_iter(), Presence::Answered);
    }

    fn take(
        &mut self,
        now: Now,
        answers: impl Iterator<Item = (EquipmentIndex, Vec<(PointIndex, Reading)>)>,
        presence: Presence,
    ) {
        self.elapsed(now);
        let mut affected = BTreeSet::new();
        for (equipment, readings) in answers {
            self.take_in(now, equipment, readings, presence, &mut affected);
        }
        self.take_samples(now);
        for w in affected {
            self.judge(w, now);
        }
    }

    fn take_in(
        &mut self,
        now: Now,
        equipment: EquipmentIndex,
        readings: Vec<(PointIndex, Reading)>,
        presence: Presence,
        affected: &mut BTreeSet<usize>,
    ) {
        let site = self.site.clone();
        let Some(unit) = self.units.get_mut(equipment.0) else { return };
        let Some(profile) = site.equipment.get(equipment.0).map(|e| &e.profile) else { return };
        let mut found = false;
        if presence.is_answer() {
            unit.last_answer = Some(now);
            found = std::mem::take(&mut unit.lost);
            if found {
                self.memories.resume(&unit.slots, now.mono);
            }
        }
        let mut ages = Vec::new();
        let mut soonest = unit.stale_due;
        for (index, reading) in readings {
            let (Some(slot), Some(point)) = (unit.slots.get_mut(index.0), profile.points.get(index.0)) else {
                continue;
            };
            // Without an answer the last reading stays valid until it is stale.
            if let Err(reason) = &reading.value
                && reason.is_no_reading()
            {
                slot.missed = Some((reading.at, reason.clone()));
                continue;
            }
            slot.missed = None;
            slot.fresh = reading.value.is_ok();
            if let Ok(value) = &reading.value {
                slot.good = Some(value.clone());
                slot.good_at = Some(now.mono);
                slot.is_retained = presence == Presence::Retained;
                if let Some(at) = stale_at(now.mono, point.stale_after) {
                    soonest = Some(soonest.map_or(at, |s| s.min(at)));
                }
            }
            self.memories.reading(&slot.memories, now.mono, reading.value.as_ref().ok(), &mut ages);
            slot.last = Some(reading);
            affected.extend(&slot.dependents);
            self.baselines.expect(&slot.leads);
        }
        for (memory, before, next) in ages {
            if let Some(before) = before {
                self.due.remove(&(before, Due::Age(memory)));
            }
            self.due.extend(next.map(|at| (at, Due::Age(memory))));
        }
        if soonest != unit.stale_due
            && let Some(at) = soonest
        {
            if let Some(before) = unit.stale_due.replace(at) {
                self.due.remove(&(before, Due::Stale(equipment.0)));
            }
            self.due.insert((at, Due::Stale(equipment.0)));
        }
        if found {
            affected.extend(unit.slots.iter().flat_map(|s| &s.dependents));
            let silence = unit.silence;
            self.leave(silence, now, now);
            if let Some(limit) = profile.offline_after {
                self.due.insert((now.mono + limit, Due::Silence(equipment.0)));
            }
        }
    }

    pub(super) fn judge(&mut self, index: usize, now: Now) {
        let site = self.site.clone();
        let Some(watch) = self.watches.get(index) else { return };
        let Some(fault) = fault_of(&site, watch) else { return };
        if self.is_suppressed(fault, watch, now.mono) {
            if watch.is_active() {
                self.leave(index, now, now);
            } else {
                self.set_phase(index, Phase::Normal { since: None }, None);
            }
            return;
        }
        let true_now = match &fault.trigger {
            Trigger::Condition { when, .. } => self.evaluate(when, &watch.when, now.mono),
            Trigger::Excursion(_) => self.excursion(watch, now.mono),
            Trigger::Silence => return,
        };
        let next = match watch.phase {
            Phase::Normal { since } => match true_now {
                Truth::True => Phase::Normal { since: since.or(Some(now)) },
                Truth::False | Truth::Unknown => Phase::Normal { since: None },
            },
            Phase::Active { clearing } => {
                let cleared = match &fault.trigger {
                    Trigger::Condition { clear: Some(clear), .. } => {
                        self.evaluate(clear, &watch.clear, now.mono)
                    }
                    _ => true_now.negated(),
                };
                match (true_now, cleared) {
                    (Truth::False | Truth::Unknown, Truth::True) => {
                        Phase::Active { clearing: clearing.or(Some(now)) }
                    }
                    _ => Phase::Active { clearing: None },
                }
            }
        };
        let due = match next {
            Phase::Normal { since } => since.map(|s| (s, s.mono + fault.on_delay)),
            Phase::Active { clearing } => clearing.map(|s| (s, s.mono + fault.off_delay)),
        };
        self.set_phase(index, next, due.map(|(_, at)| at).filter(|at| *at > now.mono));
        if let Some((since, at)) = due
            && at <= now.mono
        {
            match next {
                Phase::Normal { .. } => self.enter(index, since, now),
                Phase::Active { .. } => self.leave(index, since, now),
            }
        }
    }

    /// True if `unless` is true. If `unless` is unknown, the fault is not suppressed.
    fn is_suppressed(&self, fault: &Fault, watch: &Watch, now: Mono) -> bool {
        fault.unless.as_ref().is_some_and(|u| self.evaluate(u, &watch.unless, now) == Truth::True)
    }

    fn delay_ended(&mut self, index: usize, now: Now) {
        let Some(watch) = self.watches.get_mut(index) else { return };
        watch.due = None;
        match watch.phase {
            Phase::Normal { since: Some(since) } => self.enter(index, since, now),
            Phase::Active { clearing: Some(since) } => self.leave(index, since, now),
            Phase::Normal { since: None } | Phase::Active { clearing: None } => {}
        }
    }

    fn set_phase(&mut self, index: usize, phase: Phase, due: Option<Mono>) {
        let Some(watch) = self.watches.get_mut(index) else { return };
        watch.phase = phase;
        if watch.due == due {
            return;
        }
        if let Some(before) = watch.due {
            self.due.remove(&(before, Due::Delay(index)));
        }
        if let Some(at) = due {
            self.due.insert((at, Due::Delay(index)));
        }
        watch.due = due;
    }

    pub(super) fn enter(&mut self, index: usize, onset: Now, at: Now) {
        self.set_phase(index, Phase::Active { clearing: None }, None);
        self.tell(index, TransitionKind::Raised, onset, at);
    }

    pub(super) fn leave(&mut self, index: usize, onset: Now, at: Now) {
        self.set_phase(index, Phase::Normal { since: None }, None);
        self.tell(index, TransitionKind::Cleared, onset, at);
    }

    fn tell(&mut self, index: usize, kind: TransitionKind, onset: Now, at: Now) {
        let Some(watch) = self.watches.get(index) else { return };
        let Some(fault) = fault_of(&self.site, watch) else { return };
        let mut values = BTreeMap::new();
        for (e, p) in watch.when.points.iter().flatten() {
            let name = self.point_name(watch.equipment, *e, *p);
            values.insert(name, self.point_text(*e, *p));
        }
        if let Trigger::Condition { when, .. } = &fault.trigger {
            values.extend(self.recalled(when, &watch.when, at.mono));
        }
        let text = match kind {
            TransitionKind::Raised => fault
                .shows_value_of
                .map(|p| format!("unlisted code {}", self.point_text(watch.equipment, p)))
                .or_else(|| self.ranking(watch)),
            TransitionKind::Cleared if self.is_suppressed(fault, watch, at.mono) => {
                fault.unless.as_ref().map(|u| format!("suppressed by design: {}", u.text))
            }
            TransitionKind::Cleared => None,
        };
        self.transitions.push(Transition {
            equipment: watch.equipment,
            fault: watch.fault,
            kind,
            onset,
            at,
            values,
            text,
        });
    }

    fn view<'a>(&'a self, resolved: &'a Resolved, now: Mono) -> View<'a> {
        View { units: &self.units, memories: &self.memories, resolved, now }
    }

    pub(super) fn evaluate(&self, program: &Program, resolved: &Resolved, now: Mono) -> Truth {
        program.evaluate(&self.view(resolved, now))
    }

    /// The functions over time in a program, as written, with their present values.
    pub(super) fn recalled(
        &self,
        program: &Program,
        resolved: &Resolved,
        now: Mono,
    ) -> Vec<(String, String)> {
        let view = self.view(resolved, now);
        let text = |value: Option<f64>| value.map_or_else(|| "unknown".to_owned(), render_real);
        program.recalls.iter().map(|r| (r.text.clone(), text(view.recall(r.memory, r.function)))).collect()
    }

    /// Evaluates a program on one piece of equipment now, for checks.
    #[must_use]
    pub fn check(&self, equipment: EquipmentIndex, program: &Program, now: Mono) -> Truth {
        self.evaluate(program, &self.memories.resolve(&self.site, equipment, program), now)
    }

    pub(super) fn point_name(&self, own: EquipmentIndex, e: EquipmentIndex, p: PointIndex) -> String {
        let Some(equipment) = self.site.equipment.get(e.0) else { return String::new() };
        let name = equipment.profile.points.get(p.0).map_or("", |p| p.name.as_str());
        if e == own { name.to_owned() } else { format!("@{}:{name}", equipment.id) }
    }

    /// The last good value of a point with its unit, or the reason why there is none. The length is limited to what
    /// an event stores for one point.
    pub(super) fn point_text(&self, e: EquipmentIndex, p: PointIndex) -> String {
        let point = self.site.equipment.get(e.0).and_then(|x| x.profile.points.get(p.0));
        let slot = self.units.get(e.0).and_then(|u| u.slots.get(p.0));
        let (Some(point), Some(slot)) = (point, slot) else { return String::new() };
        match &slot.good {
            Some(value) => {
                let text = point.text_of(value);
                let text = if slot.is_retained { format!("{text} (retained)") } else { text };
                shortened(&text, limits::TOLD_VALUE_BYTES_MAX).into_owned()
            }
            None => "never read".to_owned(),
        }
    }
}

pub(super) fn fault_of<'a>(site: &'a Site, watch: &Watch) -> Option<&'a Fault> {
    site.equipment.get(watch.equipment.0)?.profile.faults.get(watch.fault)
}

/// All programs of a fault, also those of its checks.
pub(super) fn programs(fault: &Fault) -> Vec<&Program> {
    let mut all = fault.conditions();
    all.extend(fault.guidance.steps.iter().filter_map(|s| match &s.question {
        Question::Check { program, .. } => Some(program),
        Question::Do(_) => None,
    }));
    all
}
