//! What can be wrong with a device: when it is there, how bad it is, what to do about it.

use std::time::Duration;

use crate::expr::Program;
use crate::limits;
use crate::words::{FaultName, PointIndex, Severity, StepId, render_duration};

/// When a fault is there.
#[derive(Debug, Clone, PartialEq)]
pub enum Trigger {
    /// While a condition is true.
    Condition {
        /// The condition that raises it.
        when: Box<Program>,
        /// The condition that clears it; `not when` where absent.
        clear: Option<Program>,
    },
    /// While no good answer has come for `offline_after`.
    Silence,
    /// While points are not as they were in good operation.
    Excursion(Box<Baseline>),
}

/// What is learned as normal, and watched.
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    /// The points, numbers all; a good reading of the first one is a sample of all.
    pub points: Vec<PointIndex>,
    /// From how much good operation.
    pub learn: Learn,
    /// The regime: samples are taken while it is true.
    pub regime: Option<Program>,
    /// What is true during a cycle: then each cycle is a sample, of its duration and each point's mean and peak.
    pub cycle: Option<Program>,
    /// How the reference follows slow drift.
    pub follow: Follow,
    /// Over how many samples it is smoothed on the shortest of its scales.
    pub smooth: f64,
    /// The limit, as a multiple of what 95 % of the learned samples stay below.
    pub limit: f64,
    /// Text of the baseline's definition. A learned model is reused only if this text is unchanged.
    pub definition: String,
}

impl Baseline {
    /// What a sample consists of, by the names of the points.
    #[must_use]
    pub fn features(&self, points: &[String]) -> Vec<String> {
        if self.cycle.is_none() {
            return points.to_vec();
        }
        let of_points = points.iter().flat_map(|p| [format!("{p} mean"), format!("{p} peak")]);
        std::iter::once("duration".to_owned()).chain(of_points).collect()
    }

    /// The definition as an earlier version wrote it, which said nothing of following; nothing of a time constant, which
    /// that version did not know.
    #[must_use]
    pub fn definition_before(&self) -> Option<&str> {
        match self.follow {
            Follow::Never => self.definition.strip_suffix(NOT_FOLLOWED),
            Follow::AsLearned => Some(&self.definition),
            Follow::Over(_) => None,
        }
    }

    /// How many numbers a sample consists of.
    #[must_use]
    pub fn width(&self) -> usize {
        if self.cycle.is_none() { self.points.len() } else { 1 + 2 * self.points.len() }
    }
}

/// How the reference of a baseline follows slow drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follow {
    /// Not at all: drift is an excursion.
    Never,
    /// With a time constant of a quarter of the learning period.
    AsLearned,
    /// With this time constant.
    Over(Duration),
}

impl Follow {
    /// What it adds to a baseline's definition: limits were learned from deviations of the same kind.
    #[must_use]
    pub fn defines(self) -> String {
        match self {
            Self::Never => NOT_FOLLOWED.to_owned(),
            Self::AsLearned => String::new(),
            Self::Over(time) => format!(", following over {}", render_duration(time)),
        }
    }
}

/// How a definition ends whose drift is not followed.
const NOT_FOLLOWED: &str = ", not following";

/// How much good operation is learned from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Learn {
    /// So many samples.
    Samples(u64),
    /// So long.
    For(Duration),
}

impl Learn {
    /// For people.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::Samples(n) => format!("{n} samples"),
            Self::For(d) => render_duration(d),
        }
    }
}

/// A condition that a profile names.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// Its name.
    pub name: FaultName,
    /// How bad it is.
    pub severity: Severity,
    /// When it is there.
    pub trigger: Trigger,
    /// While this is true it is suppressed by design.
    pub unless: Option<Program>,
    /// How long `when` must hold.
    pub on_delay: Duration,
    /// How long `clear` must hold.
    pub off_delay: Duration,
    /// Kept until acknowledged.
    pub latch: bool,
    /// Whether it opens a ticket.
    pub ticket: bool,
    /// Which readings are kept with its ticket.
    pub trace: Trace,
    /// How long a closed ticket is watched for its coming back.
    pub watch: Duration,
    /// The device's own code, as its display shows it.
    pub code: Option<String>,
    /// The point whose value belongs into the text, for unlisted codes.
    pub shows_value_of: Option<PointIndex>,
    /// What to know and do.
    pub guidance: Guidance,
}

/// Which readings are kept with a fault's ticket, beside those of the points it is judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Other points of the device, by name.
    pub points: Vec<String>,
    /// From how long before the onset.
    pub before: Duration,
    /// Until how long after it.
    pub after: Duration,
}

impl Default for Trace {
    fn default() -> Self {
        let span = limits::TRACE_SPAN_DEFAULT;
        Self { points: Vec::new(), before: span, after: span }
    }
}

impl Fault {
    /// What it is judged by.
    #[must_use]
    pub fn conditions(&self) -> Vec<&Program> {
        let (when, clear) = match &self.trigger {
            Trigger::Condition { when, clear } => (Some(when.as_ref()), clear.as_ref()),
            Trigger::Excursion(baseline) => (baseline.regime.as_ref(), baseline.cycle.as_ref()),
            Trigger::Silence => (None, None),
        };
        [when, clear, self.unless.as_ref()].into_iter().flatten().collect()
    }

    /// The points whose excursion it is.
    #[must_use]
    pub fn watched(&self) -> &[PointIndex] {
        match &self.trigger {
            Trigger::Excursion(baseline) => &baseline.points,
            Trigger::Condition { .. } | Trigger::Silence => &[],
        }
    }
}

/// What a technician needs to know of a fault.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Guidance {
    /// What it means.
    pub means: String,
    /// What it comes from, likeliest first.
    pub causes: Vec<String>,
    /// Why these facts are not sure; nothing where they are.
    pub unconfirmed: Option<String>,
    /// What can hurt a person who touches the equipment.
    pub danger: Option<String>,
    /// How long to wait, after the protection is in place, before the equipment is touched.
    pub wait: Option<Duration>,
    /// What protects against the danger: `loto:electrical`.
    pub safety: Vec<String>,
    /// What one must be able to do.
    pub skills: Vec<String>,
    /// What is likely to be needed.
    pub parts: Vec<Part>,
    /// The procedure that applies.
    pub sop: Option<String>,
    /// The checks, in order.
    pub steps: Vec<Step>,
}

impl Guidance {
    /// What can hurt a person, how long to wait, and what protects, in the order in which a person must read it: a label
    /// and its text each. Empty where the profile names neither.
    #[must_use]
    pub fn hazards(&self) -> Vec<(&'static str, String)> {
        let danger = self.danger.iter().map(|danger| ("DANGER", danger.clone()));
        let protection = (!self.safety.is_empty()).then(|| ("PROTECTION", self.safety.join("; ")));
        let wait = self.wait.map(|wait| ("WAIT", render_duration(wait)));
        danger.chain(protection).chain(wait).collect()
    }
}

/// A spare part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its stock number.
    pub id: String,
    /// What it is.
    pub name: String,
    /// How many.
    pub quantity: u32,
}

/// One troubleshooting step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Its name within the fault.
    pub id: StepId,
    /// Who answers it, and how.
    pub question: Question,
    /// Where `yes` leads.
    pub yes: Target,
    /// Where `no` leads.
    pub no: Target,
}

/// Who answers a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    /// A person does something and says how it went.
    Do(String),
    /// The gateway reads the equipment: a condition, held for a time.
    Check {
        /// The condition.
        program: Program,
        /// How long it must hold.
        hold: Duration,
    },
}

impl Question {
    /// The question as a person reads it.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Question::Do(text) => text,
            Question::Check { program, .. } => &program.text,
        }
    }
}

/// Where an answer leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// To another step.
    Step(StepId),
    /// To the end of the walk.
    Done,
    /// To a cause.
    Cause(String),
}
