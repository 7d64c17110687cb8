//! The expression language: conditions over points. They are checked for names, types and units when a profile is
//! loaded, and evaluated with three-valued logic (true, false, unknown).
//!
//! An expression gets its names from [`Names`] and its values from [`Operands`]. A function over time uses the values
//! that a [`Memory`] has stored of a point (test: `functions_agree_with_their_definitions`). All arithmetic is f64. A
//! bad operand, a division by zero or NaN makes the result unknown. `and`, `or` and `not` follow Kleene (tests:
//! `kleene_*`). *Must not know* profiles or alarms.
//!
//! ```
//! use andon::expr::{Kind, Names, Operands, PointInfo, Scalar, Truth, compile};
//! use andon::words::Unit;
//! struct Drive;
//! impl Names for Drive {
//!     fn point(&self, _equipment: Option<&str>, name: &str) -> Option<PointInfo> {
//!         (name == "speed").then(|| PointInfo { kind: Kind::Number(Unit::parse("Hz")) })
//!     }
//!     fn known(&self, _equipment: Option<&str>) -> Vec<String> {
//!         vec!["speed".to_owned()]
//!     }
//! }
//! struct Speed(Option<f64>);
//! impl Operands for Speed {
//!     fn read(&self, _slot: usize) -> Option<Scalar> {
//!         self.0.map(Scalar::Number)
//!     }
//! }
//! let condition = compile("speed > 50", &Drive).unwrap();
//! assert_eq!(condition.evaluate(&Speed(Some(60.0))), Truth::True);
//! assert_eq!(condition.evaluate(&Speed(None)), Truth::Unknown);
//! assert_eq!(compile("sped > 50", &Drive).unwrap_err()[0].help.as_deref(), Some("did you mean speed?"));
//! ```
//!
//! Use: `profile` compiles the conditions of faults and steps. `detect` evaluates them with the current readings and
//! keeps a [`Memory`] for each function over time.

mod compile;
mod evaluate;
mod function;
mod lexer;
mod memory;
mod parser;
mod steps;
mod thresholds;

pub use compile::{Kind, Names, Operand, PointInfo, Program, Recall, compile, compile_for};
pub use evaluate::{Operands, Scalar, Truth};
pub use function::{Function, MemoryKind, MemorySpec};
pub use memory::{Memory, remembered};
pub use parser::{Ast, Compare, parse};
pub use thresholds::Threshold;

/// An error in an expression, and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExprError {
    /// The place, in bytes from the beginning of the expression.
    pub span: std::ops::Range<usize>,
    /// The problem, as a sentence without a full stop.
    pub message: String,
    /// The probable correction; `None` if andon cannot propose one.
    pub help: Option<String>,
}

impl ExprError {
    fn new(span: std::ops::Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: None }
    }

    fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
