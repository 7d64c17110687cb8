//! The expression language: conditions over points, checked for names, types and units when a
//! profile is loaded, evaluated with three truths.
//!
//! *Must not know* profiles or alarms: names come through [`Names`], values through [`Operands`].
//! Functions over time recall what a [`Memory`] was told of a point (test: `functions_agree_with_their_definitions`).
//! All arithmetic is f64; a bad operand, a division by zero or NaN gives unknown, and
//! `and`, `or`, `not` follow Kleene (tests: `kleene_*`).

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

/// What is wrong in an expression and where, in bytes from its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExprError {
    /// Where.
    pub span: std::ops::Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What was meant.
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
