//! Checks under way, judged at every turn: steps that the gateway answers by reading the equipment.

use std::collections::BTreeMap;

use super::asked::OnRecord;
use super::{Desk, Origin};
use crate::desk::checks::{Check, Verdict};
use crate::desk::command::Output;
use crate::desk::rooms::Event;
use crate::limits;
use crate::profile::Question;
use crate::ticket::{Answer, StepNow, current_step, decide_answer};
use crate::words::{EquipmentIndex, Mono, Now, PointIndex, Refusal, Rule, shortened};

impl Desk {
    pub(super) fn judge_checks(&mut self, now: Now) {
        let mut going = std::mem::take(&mut self.checks);
        going.retain_mut(|(check, due)| match self.judge_check(check, now) {
            Some(at) => {
                *due = at;
                true
            }
            None => false,
        });
        going.append(&mut self.checks);
        self.checks = going;
    }

    /// The next time to look at a check; nothing once it is answered.
    fn judge_check(&mut self, check: &mut Check, now: Now) -> Option<Mono> {
        let site = self.site.clone();
        let token = check.token;
        let refuse = |desk: &mut Self, refusal| {
            desk.outputs.push_back(Output::Reply(token, Box::new(Err(refusal))));
        };
        let Some(ticket) = self.state.tickets.live.get(&check.number).cloned() else {
            refuse(
                self,
                Refusal::new(Rule::NoSuchTicket, format!("ticket {} is no longer live", check.number)),
            );
            return None;
        };
        let fault =
            site.find(ticket.equipment.as_str()).and_then(|(_, e)| e.profile.fault(ticket.fault.as_str()));
        let step = match current_step(&ticket, fault, &check.step, None) {
            Ok(StepNow::ToCheck(step)) => step,
            Ok(StepNow::Answered(..)) => return None,
            Err(refusal) => {
                refuse(self, refusal);
                return None;
            }
        };
        let Question::Check { program, .. } = &step.question else { return None };
        let truth = self.detector.check(check.equipment, program, now.mono);
        let waits_until = check.asked_at.mono + limits::CHECK_REPORTS_WITHIN;
        let fresh = check.operands.iter().all(|(e, p)| {
            let profile = self.site.equipment.get(e.0).map(|e| &e.profile);
            let is_asked_for = profile.is_some_and(|f| f.points.get(p.0).is_some_and(|p| f.is_asked_for(p)));
            // What reports by itself cannot be asked: after a while what it said last counts.
            let is_waited_for = is_asked_for || now.mono < waits_until;
            self.detector
                .point_state(*e, *p, now)
                .and_then(|s| s.at)
                .is_some_and(|at| !is_waited_for || at.mono > check.asked_at.mono)
        });
        let answer = match check.judge(truth, fresh, now) {
            Verdict::Waiting(at) if now.mono < waits_until => return Some(at.min(waits_until)),
            Verdict::Waiting(at) => return Some(at),
            Verdict::Unanswered => {
                refuse(
                    self,
                    Refusal::new(
                        Rule::CheckUnanswered,
                        format!(
                            "andon could not check the condition: {} did not return good values in time. Condition: {}",
                            ticket.equipment, program.text
                        ),
                    )
                    .command("see the reason", format!("andon why {} {}", ticket.equipment, ticket.fault))
                    .command(
                        "or check the equipment yourself and answer",
                        format!("andon ticket step {} {} yes|no", ticket.number, check.step),
                    ),
                );
                return None;
            }
            Verdict::Yes => Answer::Yes,
            Verdict::No => Answer::No,
        };
        let values = self.values_of(check.equipment, &check.operands, now);
        match decide_answer(&ticket, step, answer, true, check.note.clone(), values) {
            Ok(event) => {
                let origin = Origin::Asked(check.token, OnRecord::Ticket);
                self.emit(now, &check.by, vec![Event::Ticket(event)], origin, None);
            }
            Err(refusal) => refuse(self, refusal),
        }
        None
    }

    fn values_of(
        &self,
        own: EquipmentIndex,
        operands: &[(EquipmentIndex, PointIndex)],
        now: Now,
    ) -> BTreeMap<String, String> {
        operands
            .iter()
            .filter_map(|(e, p)| {
                let equipment = self.site.equipment.get(e.0)?;
                let point = equipment.profile.points.get(p.0)?;
                let value = self.detector.point_state(*e, *p, now)?.value?;
                let name = if *e == own {
                    point.name.to_string()
                } else {
                    format!("@{}:{}", equipment.id, point.name)
                };
                let told = format!("{value} {}", point.unit);
                Some((name, shortened(told.trim_end(), limits::TOLD_VALUE_BYTES_MAX).into_owned()))
            })
            .collect()
    }
}
