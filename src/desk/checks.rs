//! [`Check`]: a step of a ticket that the gateway answers by reading the equipment.

use std::time::Duration;

use super::command::Token;
use crate::expr::Truth;
use crate::limits;
use crate::words::{Author, EquipmentIndex, Mono, Now, PointIndex, StepId, TicketNumber};

/// A check that is under way.
#[derive(Debug, Clone)]
pub(super) struct Check {
    pub token: Token,
    pub by: Author,
    pub number: TicketNumber,
    pub step: StepId,
    pub equipment: EquipmentIndex,
    pub note: Option<String>,
    pub hold: Duration,
    pub operands: Vec<(EquipmentIndex, PointIndex)>,
    pub asked_at: Now,
    /// The time since which the condition is true by readings after `asked_at`; `None` if it is not.
    pub held_since: Option<Mono>,
}

/// The result of evaluating a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Yes,
    No,
    Waiting(Mono),
    Unanswered,
}

impl Check {
    /// Evaluates the check. Only readings after the request count: until then `all_fresh` is false. If the condition is
    /// false, the answer is no. If it is unknown, `hold` starts again.
    pub(super) fn evaluate(&mut self, truth: Truth, all_fresh: bool, now: Now) -> Verdict {
        let give_up = self.asked_at.mono + self.hold + limits::CHECK_ANSWER_MAX;
        if all_fresh {
            match truth {
                Truth::False => return Verdict::No,
                Truth::True => {
                    let since = *self.held_since.get_or_insert(now.mono);
                    if now.mono.since(since) >= self.hold {
                        return Verdict::Yes;
                    }
                    return Verdict::Waiting((since + self.hold).min(give_up));
                }
                Truth::Unknown => self.held_since = None,
            }
        }
        if now.mono >= give_up { Verdict::Unanswered } else { Verdict::Waiting(give_up) }
    }
}
