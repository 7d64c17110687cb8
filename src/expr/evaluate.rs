//! Evaluation of conditions with three-valued logic. The depth limit of the parser also limits the recursion here.

use std::sync::Arc;

use super::compile::Program;
use super::function::Function;
use super::parser::{Arithmetic, Compare};
use crate::words::worded;

worded! {
    /// The result of a condition (three-valued logic of Kleene).
    pub enum Truth {
        /// The condition is true.
        True = "true",
        /// The condition is false.
        False = "false",
        /// The result depends on a value that is bad or stale.
        Unknown = "unknown",
    }
}

impl Truth {
    /// Converts a known result.
    #[must_use]
    pub fn of(b: bool) -> Truth {
        if b { Truth::True } else { Truth::False }
    }

    /// Returns the result of `not`: unknown stays unknown.
    #[must_use]
    pub fn negated(self) -> Truth {
        match self {
            Truth::True => Truth::False,
            Truth::False => Truth::True,
            Truth::Unknown => Truth::Unknown,
        }
    }
}

/// A good value of an operand.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// A number. Bit fields and enums are numbers: their code.
    Number(f64),
    /// The value true or false.
    Flag(bool),
    /// A text.
    Text(Arc<str>),
}

/// The source of the values of a program.
pub trait Operands {
    /// Returns the good value of an operand, by its position in [`Program::operands`]; `None` if the value is bad or
    /// stale.
    fn read(&self, slot: usize) -> Option<Scalar>;

    /// Returns the result of a function over time, by the position of its memory in [`Program::memories`]: a boolean
    /// as 0 or 1, an age in nanoseconds. `None` if the result is unknown, or if the caller stores no values.
    fn recall(&self, _memory: usize, _function: Function) -> Option<f64> {
        None
    }
}

/// A part of a condition that gives true, false or unknown.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Constant(bool),
    Flag(usize),
    Bit(usize, u8),
    Not(Box<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Compare(Compare, NumberNode, NumberNode),
    TextIs(usize, Arc<str>, bool),
    Same(Box<Node>, Box<Node>, bool),
    NoneOf(usize, Vec<f64>),
    Recall(usize, Function),
}

/// A part of a condition that gives a number.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum NumberNode {
    Constant(f64),
    Point(usize),
    Recall(usize, Function),
    Negate(Box<NumberNode>),
    Arithmetic(Arithmetic, Box<NumberNode>, Box<NumberNode>),
}

impl Program {
    /// Evaluates the condition with these operands.
    pub fn evaluate(&self, operands: &dyn Operands) -> Truth {
        truth(&self.root, operands)
    }
}

fn truth(node: &Node, operands: &dyn Operands) -> Truth {
    match node {
        Node::Constant(b) => Truth::of(*b),
        Node::Flag(slot) => match operands.read(*slot) {
            Some(Scalar::Flag(b)) => Truth::of(b),
            Some(Scalar::Number(n)) => Truth::of(n != 0.0),
            Some(Scalar::Text(_)) | None => Truth::Unknown,
        },
        Node::Bit(slot, bit) => match operands.read(*slot) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a bit field of 64 bits at most"
            )]
            Some(Scalar::Number(n)) => Truth::of((n as u64) >> bit & 1 == 1),
            Some(Scalar::Flag(_) | Scalar::Text(_)) | None => Truth::Unknown,
        },
        Node::Not(inner) => truth(inner, operands).negated(),
        Node::And(a, b) => match truth(a, operands) {
            Truth::False => Truth::False,
            left => match (left, truth(b, operands)) {
                (_, Truth::False) => Truth::False,
                (Truth::True, Truth::True) => Truth::True,
                _ => Truth::Unknown,
            },
        },
        Node::Or(a, b) => match truth(a, operands) {
            Truth::True => Truth::True,
            left => match (left, truth(b, operands)) {
                (_, Truth::True) => Truth::True,
                (Truth::False, Truth::False) => Truth::False,
                _ => Truth::Unknown,
            },
        },
        Node::Compare(compare, a, b) => match (number(a, operands), number(b, operands)) {
            (Some(a), Some(b)) => Truth::of(holds(*compare, a, b)),
            _ => Truth::Unknown,
        },
        Node::TextIs(slot, word, unequal) => match operands.read(*slot) {
            Some(Scalar::Text(t)) => Truth::of((*t == **word) != *unequal),
            Some(Scalar::Flag(_) | Scalar::Number(_)) | None => Truth::Unknown,
        },
        Node::NoneOf(slot, values) => match operands.read(*slot) {
            Some(Scalar::Number(n)) => Truth::of(!values.contains(&n)),
            Some(Scalar::Flag(_) | Scalar::Text(_)) | None => Truth::Unknown,
        },
        Node::Recall(memory, function) => match operands.recall(*memory, *function) {
            Some(n) => Truth::of(n != 0.0),
            None => Truth::Unknown,
        },
        Node::Same(a, b, unequal) => match (truth(a, operands), truth(b, operands)) {
            (Truth::Unknown, _) | (_, Truth::Unknown) => Truth::Unknown,
            (a, b) => Truth::of((a == b) != *unequal),
        },
    }
}

#[expect(clippy::float_cmp, reason = "== on f64 is what the language defines")]
fn holds(compare: Compare, a: f64, b: f64) -> bool {
    match compare {
        Compare::Equal => a == b,
        Compare::Unequal => a != b,
        Compare::Less => a < b,
        Compare::LessOrEqual => a <= b,
        Compare::Greater => a > b,
        Compare::GreaterOrEqual => a >= b,
    }
}

fn number(node: &NumberNode, operands: &dyn Operands) -> Option<f64> {
    let value = match node {
        NumberNode::Constant(n) => *n,
        NumberNode::Point(slot) => match operands.read(*slot)? {
            Scalar::Number(n) => n,
            Scalar::Flag(_) | Scalar::Text(_) => return None,
        },
        NumberNode::Recall(memory, function) => operands.recall(*memory, *function)?,
        NumberNode::Negate(inner) => -number(inner, operands)?,
        NumberNode::Arithmetic(op, a, b) => {
            let (a, b) = (number(a, operands)?, number(b, operands)?);
            match op {
                Arithmetic::Add => a + b,
                Arithmetic::Subtract => a - b,
                Arithmetic::Multiply => a * b,
                Arithmetic::Divide if b == 0.0 => return None,
                Arithmetic::Divide => a / b,
            }
        }
    };
    (!value.is_nan()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::super::compile::{Kind, Names, PointInfo, compile, compile_for};
    use super::*;
    use crate::limits;
    use crate::words::Unit;
    use std::collections::BTreeMap;

    struct Plant;

    impl Names for Plant {
        fn point(&self, equipment: Option<&str>, name: &str) -> Option<PointInfo> {
            if equipment.is_some() {
                return Some(PointInfo { kind: Kind::Foreign });
            }
            let kind = match name {
                "volts" | "volts2" => Kind::Number(Unit::parse("V")),
                "amps" => Kind::Number(Unit::parse("A")),
                "bad" => Kind::Number(Unit::default()),
                "on" | "lost" => Kind::Flag,
                "name" => Kind::Text,
                "status" => Kind::Bits(BTreeMap::from([("run".to_owned(), 0), ("trip".to_owned(), 3)])),
                "mode" => Kind::Enum(BTreeMap::from([("off".to_owned(), 0), ("auto".to_owned(), 1)])),
                _ => return None,
            };
            Some(PointInfo { kind })
        }
        fn known(&self, _: Option<&str>) -> Vec<String> {
            ["volts", "amps", "status", "mode"].map(str::to_owned).to_vec()
        }
    }

    struct Values<'a>(&'a Program);

    impl Operands for Values<'_> {
        fn read(&self, slot: usize) -> Option<Scalar> {
            match self.0.operands[slot].point.as_str() {
                "volts" => Some(Scalar::Number(230.0)),
                "volts2" => Some(Scalar::Number(0.0)),
                "amps" => Some(Scalar::Number(2.0)),
                "on" => Some(Scalar::Flag(true)),
                "name" => Some(Scalar::Text("M1".into())),
                "status" => Some(Scalar::Number(8.0)),
                "mode" => Some(Scalar::Number(1.0)),
                _ => None,
            }
        }
    }

    #[track_caller]
    fn check(text: &str, expected: Truth) {
        let program = compile(text, &Plant).unwrap_or_else(|e| panic!("{text}: {e:?}"));
        assert_eq!(program.evaluate(&Values(&program)), expected, "{text}");
    }

    #[track_caller]
    fn fails(text: &str, at: usize, message: &str) {
        fail(text, &[(at, message)]);
    }

    /// Everything that is wrong, in the order of the text.
    #[track_caller]
    fn fail(text: &str, expected: &[(usize, &str)]) {
        let errors = compile(text, &Plant).unwrap_err();
        let found: Vec<(usize, &str)> = errors.iter().map(|e| (e.span.start, e.message.as_str())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn values() {
        check("volts > 207 and status.trip", Truth::True);
        check("status.run", Truth::False);
        check("mode == \"auto\"", Truth::True);
        check("\"off\" == mode", Truth::False);
        check("name == 'M1' and name != 'M2'", Truth::True);
        check("volts * amps >= 460 and volts / volts == 1", Truth::True);
        check("-volts < 0 and volts - 30 == 200", Truth::True);
        check("status == 0x8", Truth::True);
        check("on == (not false)", Truth::True);
    }

    #[test]
    fn kleene_and_unknown() {
        check("bad > 1", Truth::Unknown);
        check("bad > 1 and false", Truth::False);
        check("false and bad > 1", Truth::False);
        check("bad > 1 and true", Truth::Unknown);
        check("bad > 1 or on", Truth::True);
        check("on or bad > 1", Truth::True);
        check("bad > 1 or false", Truth::Unknown);
        check("not bad > 1", Truth::Unknown);
        check("lost", Truth::Unknown);
        check("lost == on", Truth::Unknown);
    }

    #[test]
    fn kleene_division_by_zero_is_unknown() {
        check("volts / volts2 > 1", Truth::Unknown);
        check("volts2 / volts2 == 1", Truth::Unknown);
    }

    #[test]
    fn names_types_and_units_are_checked() {
        fails("vlots > 1", 0, "there is no point vlots");
        fails("volts > amps", 0, "V and A cannot be compared");
        fails("volts + amps > 1", 0, "V and A cannot be added");
        fails("volts", 0, "this is a number, not true or false");
        fails("status.jog", 0, "there is no bit \"jog\" here");
        fails("volts.run", 0, "volts has no bits");
        fails("mode == \"aut\"", 8, "there is no value \"aut\" here");
        fails("mode < \"auto\"", 0, "an enum has no order");
        fails("name > 3", 0, "this is a text, not a number");
        fails("on and volts", 7, "this is a number, not true or false");
        fails("avg(volts, 5m) > amps", 0, "V and A cannot be compared");
        fails("rate(volts, 5m) > volts", 0, "V*s^-1 and V cannot be compared");
        fails("avg(on, 5m) > 1", 4, "this is true or false, and avg takes a number");
        fails("previous(name) == \"x\"", 9, "this is a text, and previous takes a number");
        fails(
            "age(volts) > 3",
            0,
            "this is an age: it is compared with a duration, as age(p) > 30s, not a number",
        );
        fails("volts > 3s", 8, "this is a duration, not a number");
        fails("age(volts) == 3s", 0, "an age is compared by its order");
        fails("stuck(volts, 5m) > 1", 0, "this is true or false, not a number");
        fails("previous(mode) == \"aut\"", 18, "there is no value \"aut\" here");
        fails("agv(volts, 5s) > 1", 0, "there is no function agv");
        fails("avg(volts, 0s) > 1", 11, "a time here is from 1ms to 31d");
        let errors = compile("vlots > 1", &Plant).unwrap_err();
        assert_eq!(errors[0].help.as_deref(), Some("did you mean volts?"));
    }

    #[test]
    fn everything_wrong_in_an_expression_is_told_at_once() {
        let no = "there is no point";
        fail("vlots > amsp", &[(0, &format!("{no} vlots")), (8, &format!("{no} amsp"))]);
        fail(
            "vlots > 1 and volts > amps or name > 3",
            &[
                (0, &format!("{no} vlots")),
                (14, "V and A cannot be compared"),
                (30, "this is a text, not a number"),
            ],
        );
        fail(
            "not (volts and on) and status.jog",
            &[(5, "this is a number, not true or false"), (23, "there is no bit \"jog\" here")],
        );
        fail(
            "name + on > 1",
            &[(0, "this is a text, not a number"), (7, "this is true or false, not a number")],
        );
        fail(
            "agv((volts), 5s) > 1 and avg(volts, 0s) > 1 and x",
            &[
                (0, "there is no function agv"),
                (36, "a time here is from 1ms to 31d"),
                (48, &format!("{no} x")),
            ],
        );
        // Of a text that is no expression, the place where it ends to be one.
        fail("vlots > and amsp", &[(8, "a point, a number or a quoted text belongs here")]);
        fail("agv(volts", &[(0, "there is no function agv")]);
        let many = vec!["x > 1"; 60].join(" and ");
        assert_eq!(compile(&many, &Plant).unwrap_err().len(), limits::EXPRESSION_ERRORS_MAX);
    }

    #[test]
    fn a_check_tells_of_its_time_and_of_its_condition() {
        let errors = compile_for("vlots > 1 for 3x", &Plant).unwrap_err();
        assert_eq!(errors.iter().map(|e| e.span.start).collect::<Vec<_>>(), [0, 14]);
        assert_eq!(compile_for("volts > 1 for 11m", &Plant).unwrap_err()[0].span, 14..17);
    }

    #[test]
    fn each_operand_is_listed_once() {
        let program = compile("volts > 1 and volts < 9 and @c-1:p > 2", &Plant).unwrap();
        assert_eq!(program.operands.len(), 2);
        let program =
            compile("avg(volts, 5m) > 1 and max(volts, 300s) < 9 and stuck(mode, 5m)", &Plant).unwrap();
        assert_eq!((program.operands.len(), program.memories.len(), program.recalls.len()), (2, 2, 3));
    }

    #[test]
    fn what_is_not_remembered_is_unknown() {
        check("avg(volts, 5m) > 1", Truth::Unknown);
        check("stuck(mode, 5m) or age(volts) < 5s", Truth::Unknown);
        check("previous(on) and previous(mode) == \"auto\" or on", Truth::True);
    }
}
