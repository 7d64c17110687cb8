//! Steps of tickets that the gateway is checking: each check is evaluated after every input.

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
    /// Evaluates all checks that are under way.
    pub(super) fn evaluate_checks(&mut self, now: Now) {
        let mut going = std::mem::take(&mut self.checks);
        going.retain_mut(|(check, due)| match self.evaluate_check(check, now) {
            Some(at) => {
                *due = at;
                true
            }
            None => false,
        });
        going.append(&mut self.checks);
        self.checks = going;
    }

    /// Evaluates a check. Returns the time of the next evaluation; `None` if the check has ended.
    fn evaluate_check(&mut self, check: &mut Check, now: Now) -> Option<Mono> {
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
        let fault = ticket.fault_in(&site);
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
            let is_polled = profile.is_some_and(|f| f.points.get(p.0).is_some_and(|p| f.is_asked_for(p)));
            // A point that reports by itself cannot be polled. After `CHECK_REPORTS_WITHIN` its last value counts.
            let must_be_new = is_polled || now.mono < waits_until;
            self.detector
                .point_state(*e, *p, now)
                .and_then(|s| s.at)
                .is_some_and(|at| !must_be_new || at.mono > check.asked_at.mono)
        });
        let answer = match check.evaluate(truth, fresh, now) {
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

    /// Returns the values of the points in the condition, as text with units, for the ticket.
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
                let text = format!("{value} {}", point.unit);
                Some((name, shortened(text.trim_end(), limits::TOLD_VALUE_BYTES_MAX).into_owned()))
            })
            .collect()
    }
}
