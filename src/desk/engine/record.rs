//! What is known of the record itself: its damage, and what is not on record yet.

use super::{Change, Desk, Origin};
use crate::alarm::Key;
use crate::desk::command::{AcceptAsk, Output, Token};
use crate::desk::event::{Event, GatewayEvent};
use crate::detect::{Transition, TransitionKind};
use crate::limits;
use crate::words::{Damage, Now, Refusal, Rule, Severity};

/// A condition that is true and whose alarm is not on record, because the journal cannot be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Unrecorded {
    /// Equipment and fault.
    pub key: Key,
    /// How bad.
    pub severity: Severity,
    /// How it came.
    pub transition: Transition,
}

impl Desk {
    /// Puts damage on record that is not there yet.
    pub(super) fn record_damage(&mut self, now: Now, found: &[Damage]) {
        let known = |d: &Damage| {
            self.state.damage.iter().any(|k| k.damage.as_ref().is_some_and(|known| known.is_same(d)))
        };
        let room = limits::DAMAGE_KEPT.saturating_sub(self.state.damage.len());
        let new: Vec<Damage> = found.iter().filter(|d| !known(d)).take(room).cloned().collect();
        for damage in new {
            let event = GatewayEvent::JournalDamaged { message: damage.to_string(), damage: Some(damage) };
            self.machine(now, Change::Gateway(event));
        }
    }

    pub(super) fn damage_accepted(&mut self, now: Now, token: Token, ask: &AcceptAsk) {
        let decided = self.check_asker(&ask.by).and_then(|()| {
            let reason = ask.reason.trim();
            if reason.is_empty() || reason.len() > limits::TEXT_BYTES_MAX {
                return Err(Refusal::new(
                    Rule::BadText,
                    "accepting damage needs a reason of one to 8192 bytes",
                )
                .remedy("say why: --reason TEXT"));
            }
            let parts = self.state.damage.iter().filter(|d| d.accepted.is_none()).count();
            if parts == 0 {
                return Err(Refusal::new(
                    Rule::NothingToAccept,
                    "no damage of the journal waits to be accepted",
                )
                .command("check the journal", "andon audit verify"));
            }
            Ok(GatewayEvent::DamageAccepted { parts, reason: reason.to_owned() })
        });
        match decided {
            Ok(event) => {
                let told = "the damage is accepted: it stays in the journal and in `andon audit verify`, \
                    and is no longer shown on the first screen";
                let origin = Origin::Operation(token, told.to_owned());
                self.emit(now, &ask.by, vec![Event::Gateway(event)], origin, None);
            }
            Err(refusal) => self.outputs.push_back(Output::Reply(token, Box::new(Err(refusal)))),
        }
    }

    /// Conditions that became true while the journal could not be written, and still are.
    #[must_use]
    pub fn unrecorded(&self) -> Vec<Unrecorded> {
        let mut found: Vec<Unrecorded> = Vec::new();
        for change in &self.waiting {
            let Change::Transition(t, _) = change else { continue };
            let Some(equipment) = self.site.equipment.get(t.equipment.0) else { continue };
            let Some(fault) = equipment.profile.faults.get(t.fault) else { continue };
            let key = (equipment.id.clone(), fault.name.clone());
            found.retain(|u| u.key != key);
            if t.kind == TransitionKind::Raised {
                found.push(Unrecorded { key, severity: fault.severity, transition: t.as_ref().clone() });
            }
        }
        found
    }

    /// Alarms on record that have cleared meanwhile, while the journal cannot be written.
    #[must_use]
    pub fn is_cleared_unrecorded(&self, key: &Key) -> bool {
        let last = self.waiting.iter().rev().find_map(|change| match change {
            Change::Transition(t, _) => {
                let equipment = self.site.equipment.get(t.equipment.0)?;
                let fault = equipment.profile.faults.get(t.fault)?;
                (equipment.id == key.0 && fault.name == key.1).then_some(t.kind)
            }
            _ => None,
        });
        last == Some(TransitionKind::Cleared)
    }
}
