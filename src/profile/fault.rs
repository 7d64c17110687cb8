//! Faults of a device: their condition, their severity, and the guidance for the technician.

use std::time::Duration;

use crate::expr::Program;
use crate::limits;
use crate::words::{FaultName, PointIndex, Severity, StepId, render_duration};

/// The cause of a fault: a condition, silence, or an excursion.
#[derive(Debug, Clone, PartialEq)]
pub enum Trigger {
    /// A condition is true.
    Condition {
        /// The condition that raises the fault.
        when: Box<Program>,
        /// The condition that clears the fault; `None` means `not when`.
        clear: Option<Program>,
    },
    /// The equipment has given no good answer for `offline_after`.
    Silence,
    /// The points no longer behave as in the learned normal operation.
    Excursion(Box<Baseline>),
}

/// A baseline: the definition of normal operation to learn, and of the excursion from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    /// The points; all are numbers. Each good reading of the first point is one sample of all points.
    pub points: Vec<PointIndex>,
    /// The amount of normal operation to learn from.
    pub learn: Learn,
    /// The operating state (`while`): samples count only while it is true. `None` means always.
    pub regime: Option<Program>,
    /// The condition that is true during a cycle; `None` for a baseline without cycles. Each cycle is one sample: its
    /// duration, and the mean and peak of each point.
    pub cycle: Option<Program>,
    /// The way in which the current normal value follows slow drift.
    pub follow: Follow,
    /// The number of samples for smoothing, on the shortest scale.
    pub smooth: f64,
    /// The limit of an excursion, as a multiple of the value that 95 % of the learned samples stay below.
    pub limit: f64,
    /// Text of the baseline's definition. A learned model is reused only if this text is unchanged.
    pub definition: String,
}

impl Baseline {
    /// The names of the numbers of one sample, made from the names of the points.
    #[must_use]
    pub fn features(&self, points: &[String]) -> Vec<String> {
        if self.cycle.is_none() {
            return points.to_vec();
        }
        let of_points = points.iter().flat_map(|p| [format!("{p} mean"), format!("{p} peak")]);
        std::iter::once("duration".to_owned()).chain(of_points).collect()
    }

    /// The definition in the text of an earlier version, which did not have `follow`; `None` if the baseline has a
    /// time constant, because that version did not have one.
    #[must_use]
    pub fn definition_before(&self) -> Option<&str> {
        match self.follow {
            Follow::Never => self.definition.strip_suffix(NOT_FOLLOWED),
            Follow::AsLearned => Some(&self.definition),
            Follow::Over(_) => None,
        }
    }

    /// The number of numbers in one sample.
    #[must_use]
    pub fn width(&self) -> usize {
        if self.cycle.is_none() { self.points.len() } else { 1 + 2 * self.points.len() }
    }
}

/// The way in which the current normal value of a baseline follows slow drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follow {
    /// The value does not follow: drift becomes an excursion.
    Never,
    /// The time constant is a quarter of the learning period.
    AsLearned,
    /// The time constant is given.
    Over(Duration),
}

impl Follow {
    /// Returns the text that this setting adds to the definition of a baseline. A model that was learned with another
    /// setting is not reused.
    #[must_use]
    pub fn defines(self) -> String {
        match self {
            Self::Never => NOT_FOLLOWED.to_owned(),
            Self::AsLearned => String::new(),
            Self::Over(time) => format!(", following over {}", render_duration(time)),
        }
    }
}

/// The end of the definition of a baseline that does not follow drift.
const NOT_FOLLOWED: &str = ", not following";

/// The amount of normal operation that a baseline learns from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Learn {
    /// A number of samples.
    Samples(u64),
    /// A period of time.
    For(Duration),
}

impl Learn {
    /// Returns the amount as text for people.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::Samples(n) => format!("{n} samples"),
            Self::For(d) => render_duration(d),
        }
    }
}

/// A fault of a profile: a condition with its severity, delays and guidance.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// The name of the fault, unique in its profile.
    pub name: FaultName,
    /// The severity of the fault.
    pub severity: Severity,
    /// The cause that raises the fault.
    pub trigger: Trigger,
    /// The condition that suppresses the fault by design while it is true; `None` means never.
    pub unless: Option<Program>,
    /// The time for which `when` must be true before the fault is raised.
    pub on_delay: Duration,
    /// The time for which `clear` must be true before the fault is cleared.
    pub off_delay: Duration,
    /// True if the alarm stays after its condition has cleared, until a person acknowledges it.
    pub latch: bool,
    /// True if the fault opens a ticket.
    pub ticket: bool,
    /// The readings that are kept with the ticket.
    pub trace: Trace,
    /// The time after closing in which the same fault reopens the ticket.
    pub watch: Duration,
    /// The code of the fault, as the display of the device shows it; `None` for a fault without a code.
    pub code: Option<String>,
    /// The point whose value is part of the summary; only for `unlisted-code`, else `None`.
    pub shows_value_of: Option<PointIndex>,
    /// The guidance for the technician.
    pub guidance: Guidance,
}

/// The readings that are kept with the ticket of a fault, in addition to the points in its conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The names of other points of the device.
    pub points: Vec<String>,
    /// The recorded time before the onset.
    pub before: Duration,
    /// The recorded time after the onset.
    pub after: Duration,
}

impl Default for Trace {
    fn default() -> Self {
        let span = limits::TRACE_SPAN_DEFAULT;
        Self { points: Vec::new(), before: span, after: span }
    }
}

impl Fault {
    /// The conditions of the fault: `when`, `clear` and `unless`; for a baseline `while`, `cycle` and `unless`.
    #[must_use]
    pub fn conditions(&self) -> Vec<&Program> {
        let (when, clear) = match &self.trigger {
            Trigger::Condition { when, clear } => (Some(when.as_ref()), clear.as_ref()),
            Trigger::Excursion(baseline) => (baseline.regime.as_ref(), baseline.cycle.as_ref()),
            Trigger::Silence => (None, None),
        };
        [when, clear, self.unless.as_ref()].into_iter().flatten().collect()
    }

    /// The points of the baseline; empty for other faults.
    #[must_use]
    pub fn watched(&self) -> &[PointIndex] {
        match &self.trigger {
            Trigger::Excursion(baseline) => &baseline.points,
            Trigger::Condition { .. } | Trigger::Silence => &[],
        }
    }
}

/// Guidance for a technician who works on a fault.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Guidance {
    /// The meaning of the fault.
    pub means: String,
    /// The possible causes, the most probable first.
    pub causes: Vec<String>,
    /// The reason why these facts are not certain; `None` if they are confirmed.
    pub unconfirmed: Option<String>,
    /// The danger for a person who touches the equipment; `None` if the profile does not name one.
    pub danger: Option<String>,
    /// The time to wait, after the protection is in place, before the equipment is touched; `None` means no wait.
    pub wait: Option<Duration>,
    /// The protection against the danger, such as `loto:electrical`.
    pub safety: Vec<String>,
    /// The skills or qualifications that the technician needs.
    pub skills: Vec<String>,
    /// The spare parts that are probably needed.
    pub parts: Vec<Part>,
    /// The standard operating procedure that applies; `None` if there is none.
    pub sop: Option<String>,
    /// The troubleshooting steps, in order.
    pub steps: Vec<Step>,
}

impl Guidance {
    /// Returns the danger, the protection and the wait, in the order in which a person must read them. Each is a
    /// label and its text. The list is empty if the profile names none.
    #[must_use]
    pub fn hazards(&self) -> Vec<(&'static str, String)> {
        let danger = self.danger.iter().map(|danger| ("DANGER", danger.clone()));
        let protection = (!self.safety.is_empty()).then(|| ("PROTECTION", self.safety.join("; ")));
        let wait = self.wait.map(|wait| ("WAIT", render_duration(wait)));
        danger.chain(protection).chain(wait).collect()
    }
}

/// A spare part of a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The stock number.
    pub id: String,
    /// The name of the part.
    pub name: String,
    /// The number of pieces.
    pub quantity: u32,
}

/// One troubleshooting step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The name of the step, unique in its fault.
    pub id: StepId,
    /// The question, and who answers it.
    pub question: Question,
    /// The next step after the answer `yes`.
    pub yes: Target,
    /// The next step after the answer `no`.
    pub no: Target,
}

/// The question of a step: a person answers it, or andon.
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    /// A person does the work and answers with yes or no.
    Do(String),
    /// andon reads the equipment and checks a condition.
    Check {
        /// The condition.
        program: Program,
        /// The time for which the condition must be true.
        hold: Duration,
    },
}

impl Question {
    /// The question as text for people.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Question::Do(text) => text,
            Question::Check { program, .. } => &program.text,
        }
    }
}

/// The target of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Another step.
    Step(StepId),
    /// The end of the steps.
    Done,
    /// A cause: the steps have found it.
    Cause(String),
}
