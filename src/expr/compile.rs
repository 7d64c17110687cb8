//! The check of names, types and units, once, when a profile is loaded. The result is evaluated without a search for
//! names.

use super::ExprError;
use super::evaluate::{Node, NumberNode};
use super::function::{Function, Gives, MemoryKind, MemorySpec};
use super::parser::{Arithmetic, Ast, Compare, Part, parse};
use crate::limits;
use crate::source::suggest;
use crate::words::{Unit, parse_duration};
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

/// The type of the values of a point.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A number with a unit of measure.
    Number(Unit),
    /// The value true or false.
    Flag,
    /// A text.
    Text,
    /// Bits with names, by name.
    Bits(BTreeMap<String, u8>),
    /// Codes with names, by name.
    Enum(BTreeMap<String, i128>),
    /// A point of other equipment, of which this profile knows nothing. The site checks it later.
    Foreign,
}

/// The description of a point for the check.
#[derive(Debug, Clone, PartialEq)]
pub struct PointInfo {
    /// The type of its values.
    pub kind: Kind,
}

/// The source of the names in an expression.
pub trait Names {
    /// Returns the description of a point; `None` if no point has this name. `equipment` is `None` for the equipment
    /// of the profile.
    fn point(&self, equipment: Option<&str>, name: &str) -> Option<PointInfo>;
    /// Returns all known names, for the search for a similar one.
    fn known(&self, equipment: Option<&str>) -> Vec<String>;
}

/// A point that a program reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Operand {
    /// The id of other equipment; `None` for the equipment of the profile.
    pub equipment: Option<String>,
    /// The name of the point.
    pub point: String,
}

/// A function over time in a program.
#[derive(Debug, Clone, PartialEq)]
pub struct Recall {
    /// The function as it is written: `avg(temperature, 10m)`.
    pub text: String,
    /// The function.
    pub function: Function,
    /// The position of its memory in [`Program::memories`].
    pub memory: usize,
}

/// A checked condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    pub(super) root: Node,
    /// The points that the program reads, each once.
    pub operands: Vec<Operand>,
    /// The memories that the program needs, each once.
    pub memories: Vec<MemorySpec>,
    /// The functions over time in the program, each once.
    pub recalls: Vec<Recall>,
    /// The condition as it is written.
    pub text: String,
}

impl Program {
    fn generated(point: &str, root: Node, text: String) -> Self {
        let operands = vec![Operand { equipment: None, point: point.to_owned() }];
        Self { root, operands, memories: Vec::new(), recalls: Vec::new(), text }
    }

    /// Makes the condition that a code point has this value.
    #[must_use]
    pub fn value_is(point: &str, value: i128) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "all arithmetic is f64, as documented")]
        let constant = NumberNode::Constant(value as f64);
        let root = Node::Compare(Compare::Equal, NumberNode::Point(0), constant);
        Self::generated(point, root, format!("{point} == {value}"))
    }

    /// Makes the condition that a bit of a code point is set. Bits count from 0, the least significant first.
    #[must_use]
    pub fn bit_is_set(point: &str, bit: u8) -> Self {
        Self::generated(point, Node::Bit(0, bit), format!("bit {bit} of {point}"))
    }

    /// Makes the condition that a code point has a value that is not listed.
    #[must_use]
    pub fn value_is_none_of(point: &str, listed: &[i128]) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "all arithmetic is f64, as documented")]
        let values = listed.iter().map(|v| *v as f64).collect();
        Self::generated(point, Node::NoneOf(0, values), format!("{point} has an unlisted value"))
    }
}

/// Parses and checks a condition.
///
/// # Errors
/// All errors in names, types and units, in the order of the text, each with its place and a proposed correction. If the text
/// cannot be parsed: the first syntax error alone.
pub fn compile(text: &str, names: &dyn Names) -> Result<Program, Vec<ExprError>> {
    let ast = parse(text).map_err(|e| vec![e])?;
    let mut compiler = Compiler {
        text,
        names,
        operands: Vec::new(),
        memories: Vec::new(),
        recalls: Vec::new(),
        errors: Vec::new(),
    };
    let root = compiler.condition(&ast).map_err(|e| compiler.errors.push(e));
    let Compiler { operands, memories, recalls, mut errors, .. } = compiler;
    if operands.len() > limits::POINTS_NAMED_MAX {
        let message = format!("a condition must name at most {} points", limits::POINTS_NAMED_MAX);
        errors.push(ExprError::new(0..text.len(), message).with_help("divide it into several faults"));
    }
    match root {
        Ok(root) if errors.is_empty() => {
            Ok(Program { root, operands, memories, recalls, text: text.to_owned() })
        }
        Ok(_) | Err(()) => {
            errors.sort_by_key(|e| (e.span.start, e.span.end));
            errors.truncate(limits::EXPRESSION_ERRORS_MAX);
            Err(errors)
        }
    }
}

/// Parses and checks the `check` of a step: a condition, and after `for` the time for which it must be true.
///
/// # Errors
/// The same errors as [`compile`].
pub fn compile_for(text: &str, names: &dyn Names) -> Result<(Program, Duration), Vec<ExprError>> {
    let (condition, hold) = match text.rsplit_once(" for ") {
        Some((condition, hold)) => {
            let wrong = |why: String| ExprError::new(text.len() - hold.len()..text.len(), why);
            let hold = parse_duration(hold).map_err(wrong).and_then(|hold| {
                if hold > limits::CHECK_FOR_MAX {
                    return Err(wrong("a check takes at most 10 minutes".to_owned()));
                }
                Ok(hold)
            });
            (condition, hold)
        }
        None => (text, Ok(Duration::ZERO)),
    };
    match (compile(condition, names), hold) {
        (Ok(mut program), Ok(hold)) => {
            text.clone_into(&mut program.text);
            Ok((program, hold))
        }
        (program, hold) => Err(program.err().into_iter().flatten().chain(hold.err()).collect()),
    }
}

enum Typed {
    Number(NumberNode, Option<Unit>),
    Condition(Node),
    TextPoint(usize),
    Text(String),
    Enum(NumberNode, BTreeMap<String, i128>),
    Foreign(usize),
    Age(Operand, Option<u8>),
    Duration(Duration),
}

struct Compiler<'a> {
    text: &'a str,
    names: &'a dyn Names,
    operands: Vec<Operand>,
    memories: Vec<MemorySpec>,
    recalls: Vec<Recall>,
    /// What was found wrong beside the error that is on its way to the root.
    errors: Vec<ExprError>,
}

impl Compiler<'_> {
    /// No more errors are told: none is worth looking for a name that was meant.
    fn is_full(&self) -> bool {
        self.errors.len() >= limits::EXPRESSION_ERRORS_MAX
    }

    /// The two sides of an operator. Each was checked whatever the other is: of two errors one goes on to the root.
    fn both<A, B>(&mut self, a: Result<A, ExprError>, b: Result<B, ExprError>) -> Result<(A, B), ExprError> {
        match (a, b) {
            (Ok(a), Ok(b)) => Ok((a, b)),
            (Err(a), Err(b)) => {
                self.errors.push(b);
                Err(a)
            }
            (Err(e), Ok(_)) | (Ok(_), Err(e)) => Err(e),
        }
    }

    fn conditions(&mut self, a: &Ast, b: &Ast) -> Result<(Box<Node>, Box<Node>), ExprError> {
        let (a, b) = (self.condition(a), self.condition(b));
        let (a, b) = self.both(a, b)?;
        Ok((Box::new(a), Box::new(b)))
    }

    fn condition(&mut self, ast: &Ast) -> Result<Node, ExprError> {
        match self.typed(ast)? {
            Typed::Condition(node) => Ok(node),
            Typed::Foreign(slot) => Ok(Node::Flag(slot)),
            other => Err(ExprError::new(
                ast.span.clone(),
                format!("this is {}, not true or false", describe(&other)),
            )
            .with_help("compare it: point > 5, mode == \"auto\", status.bit")),
        }
    }

    fn number(&mut self, ast: &Ast) -> Result<(NumberNode, Option<Unit>), ExprError> {
        numeric(self.typed(ast)?, ast)
    }

    fn slot(&mut self, operand: Operand) -> usize {
        if let Some(at) = self.operands.iter().position(|o| *o == operand) {
            return at;
        }
        self.operands.push(operand);
        self.operands.len() - 1
    }

    fn typed(&mut self, ast: &Ast) -> Result<Typed, ExprError> {
        Ok(match &ast.part {
            Part::Number(n) => Typed::Number(NumberNode::Constant(*n), None),
            Part::Text(t) => Typed::Text(t.clone()),
            Part::Flag(b) => Typed::Condition(Node::Constant(*b)),
            Part::Point { equipment, name, bit } => {
                self.point(ast, equipment.as_deref(), name, bit.as_deref())?
            }
            Part::Negate(inner) => {
                let (node, unit) = self.number(inner)?;
                Typed::Number(NumberNode::Negate(Box::new(node)), unit)
            }
            Part::Not(inner) => Typed::Condition(Node::Not(Box::new(self.condition(inner)?))),
            Part::And(a, b) => {
                let (a, b) = self.conditions(a, b)?;
                Typed::Condition(Node::And(a, b))
            }
            Part::Or(a, b) => {
                let (a, b) = self.conditions(a, b)?;
                Typed::Condition(Node::Or(a, b))
            }
            Part::Wrong(error) => return Err((**error).clone()),
            Part::Call { function, point, window } => self.call(ast, *function, point, *window)?,
            Part::Duration(d) => Typed::Duration(*d),
            Part::Compare(compare, a, b) => Typed::Condition(self.compare(ast, *compare, a, b)?),
            Part::Arithmetic(op, a, b) => self.arithmetic(ast, *op, a, b)?,
        })
    }

    fn point(
        &mut self,
        ast: &Ast,
        equipment: Option<&str>,
        name: &str,
        bit: Option<&str>,
    ) -> Result<Typed, ExprError> {
        let Some(info) = self.names.point(equipment, name) else {
            return Err(self.unknown(&ast.span, equipment, name));
        };
        let slot = self.slot(Operand { equipment: equipment.map(str::to_owned), point: name.to_owned() });
        match (info.kind, bit) {
            (Kind::Bits(bits), Some(bit)) => match bits.get(bit) {
                Some(number) => Ok(Typed::Condition(Node::Bit(slot, *number))),
                None => Err(unknown_word("bit", bit, &ast.span, bits.keys())),
            },
            (Kind::Bits(_), None) => Ok(Typed::Number(NumberNode::Point(slot), Some(Unit::default()))),
            (Kind::Foreign, None) => Ok(Typed::Foreign(slot)),
            (Kind::Foreign, Some(_)) => Ok(Typed::Condition(Node::Flag(slot))),
            (_, Some(_)) => Err(ExprError::new(ast.span.clone(), format!("{name} has no bits"))
                .with_help("give it type = \"bits16\" and bits = { 0 = \"name\" }")),
            (Kind::Number(unit), None) => Ok(Typed::Number(NumberNode::Point(slot), Some(unit))),
            (Kind::Flag, None) => Ok(Typed::Condition(Node::Flag(slot))),
            (Kind::Text, None) => Ok(Typed::TextPoint(slot)),
            (Kind::Enum(values), None) => Ok(Typed::Enum(NumberNode::Point(slot), values)),
        }
    }

    /// Checks a function over time. The type of its point decides the type of its result.
    fn call(
        &mut self,
        ast: &Ast,
        function: Function,
        point: &Ast,
        window: Option<Duration>,
    ) -> Result<Typed, ExprError> {
        let Part::Point { equipment, name, bit } = &point.part else {
            return Err(ExprError::new(point.span.clone(), "a function over time takes a point"));
        };
        let operand = Operand { equipment: equipment.clone(), point: name.clone() };
        let known = match self.names.point(equipment.as_deref(), name).map(|i| i.kind) {
            Some(Kind::Bits(bits)) if bit.is_some() => bit.as_ref().and_then(|b| bits.get(b).copied()),
            _ => None,
        };
        let typed = self.typed(point)?;
        let signature = function.signature();
        let what = match &typed {
            Typed::Condition(_) if signature.wants_number => Some("true or false"),
            Typed::TextPoint(_) if signature.wants_number || function == Function::Previous => Some("a text"),
            Typed::Enum(..) if signature.wants_number => Some("an enum"),
            _ => None,
        };
        if let Some(what) = what {
            return Err(ExprError::new(
                point.span.clone(),
                format!("this is {what}, and {} takes a number", signature.name),
            ));
        }
        if signature.gives == Gives::Duration {
            return Ok(Typed::Age(operand, known));
        }
        let memory = self.memory(operand, known, function.memory(window));
        self.recall(ast, function, memory);
        let node = NumberNode::Recall(memory, function);
        let unit = match &typed {
            Typed::Number(_, unit) => unit.clone(),
            _ => None,
        };
        Ok(match (signature.gives, typed) {
            (Gives::Flag, _) | (Gives::Kind, Typed::Condition(_)) => {
                Typed::Condition(Node::Recall(memory, function))
            }
            (Gives::Kind, Typed::Enum(_, values)) => Typed::Enum(node, values),
            (Gives::PerSecond, _) => Typed::Number(node, unit.map(|u| u.per(&Unit::parse("s")))),
            (Gives::Pure, _) => Typed::Number(node, Some(Unit::default())),
            (Gives::Same | Gives::Kind | Gives::Duration, _) => Typed::Number(node, unit),
        })
    }

    fn age(
        &mut self,
        ast: &Ast,
        compare: Compare,
        operand: Operand,
        bit: Option<u8>,
        limit: Duration,
    ) -> Result<Node, ExprError> {
        let is_beyond = match compare {
            Compare::Greater | Compare::LessOrEqual => true,
            Compare::GreaterOrEqual | Compare::Less => false,
            Compare::Equal | Compare::Unequal => {
                return Err(ExprError::new(ast.span.clone(), "an age is compared by its order")
                    .with_help("write: age(p) > 30s"));
            }
        };
        let memory = self.memory(operand, bit, MemoryKind::Age { limit, is_beyond });
        #[expect(clippy::cast_precision_loss, reason = "exact for 104 days")]
        let limit = NumberNode::Constant(limit.as_nanos() as f64);
        Ok(Node::Compare(compare, NumberNode::Recall(memory, Function::Age), limit))
    }

    fn memory(&mut self, operand: Operand, bit: Option<u8>, kind: MemoryKind) -> usize {
        let spec = MemorySpec { operand: self.slot(operand), bit, kind };
        if let Some(at) = self.memories.iter().position(|m| *m == spec) {
            return at;
        }
        self.memories.push(spec);
        self.memories.len() - 1
    }

    fn recall(&mut self, ast: &Ast, function: Function, memory: usize) {
        let text = self.text.get(ast.span.clone()).unwrap_or_default().to_owned();
        if !self.recalls.iter().any(|r| r.function == function && r.memory == memory) {
            self.recalls.push(Recall { text, function, memory });
        }
    }

    fn unknown(&self, span: &Range<usize>, equipment: Option<&str>, name: &str) -> ExprError {
        let known = if self.is_full() { Vec::new() } else { self.names.known(equipment) };
        let whose = equipment.map_or(String::new(), |e| format!(" of {e}"));
        let error = ExprError::new(span.clone(), format!("there is no point {name}{whose}"));
        match known.as_slice() {
            [] => error.with_help(format!("there is no equipment{whose} here")),
            known => error.with_help(suggest(name, known.iter().map(String::as_str)).or_known()),
        }
    }

    fn compare(&mut self, ast: &Ast, compare: Compare, a: &Ast, b: &Ast) -> Result<Node, ExprError> {
        let (left, right) = (self.typed(a), self.typed(b));
        let (left, right) = self.both(left, right)?;
        let only_equal = |what: &str| match compare {
            Compare::Equal => Ok(false),
            Compare::Unequal => Ok(true),
            Compare::Less | Compare::LessOrEqual | Compare::Greater | Compare::GreaterOrEqual => {
                Err(ExprError::new(ast.span.clone(), format!("{what} has no order"))
                    .with_help("compare it with == or !="))
            }
        };
        match (left, right) {
            (Typed::Enum(node, values), Typed::Text(word))
            | (Typed::Text(word), Typed::Enum(node, values)) => {
                let code = values.get(&word).copied();
                let Some(code) = code else {
                    let place = if matches!(b.part, Part::Text(_)) { &b.span } else { &a.span };
                    return Err(unknown_word("value", &word, place, values.keys()));
                };
                #[expect(clippy::cast_precision_loss, reason = "codes are small")]
                let code = NumberNode::Constant(code as f64);
                only_equal("an enum")?;
                Ok(Node::Compare(compare, node, code))
            }
            (Typed::TextPoint(slot) | Typed::Foreign(slot), Typed::Text(word))
            | (Typed::Text(word), Typed::TextPoint(slot) | Typed::Foreign(slot)) => {
                Ok(Node::TextIs(slot, word.into(), only_equal("a text")?))
            }
            (Typed::Age(operand, bit), Typed::Duration(limit)) => self.age(ast, compare, operand, bit, limit),
            (Typed::Duration(limit), Typed::Age(operand, bit)) => {
                self.age(ast, compare.mirrored(), operand, bit, limit)
            }
            (Typed::Condition(l), Typed::Condition(r)) => {
                Ok(Node::Same(Box::new(l), Box::new(r), only_equal("true or false")?))
            }
            (left, right) => {
                let ((l, lu), (r, ru)) = self.both(numeric(left, a), numeric(right, b))?;
                same_unit(&ast.span, lu.as_ref(), ru.as_ref(), "compared")?;
                Ok(Node::Compare(compare, l, r))
            }
        }
    }

    fn arithmetic(&mut self, ast: &Ast, op: Arithmetic, a: &Ast, b: &Ast) -> Result<Typed, ExprError> {
        let (left, right) = (self.number(a), self.number(b));
        let ((l, lu), (r, ru)) = self.both(left, right)?;
        let none = Unit::default();
        let unit = match op {
            Arithmetic::Add | Arithmetic::Subtract => {
                same_unit(&ast.span, lu.as_ref(), ru.as_ref(), "added")?;
                lu.or(ru)
            }
            _ if lu.is_none() && ru.is_none() => None,
            Arithmetic::Multiply => Some(lu.as_ref().unwrap_or(&none).times(ru.as_ref().unwrap_or(&none))),
            Arithmetic::Divide => Some(lu.as_ref().unwrap_or(&none).per(ru.as_ref().unwrap_or(&none))),
        };
        Ok(Typed::Number(NumberNode::Arithmetic(op, Box::new(l), Box::new(r)), unit))
    }
}

fn numeric(typed: Typed, ast: &Ast) -> Result<(NumberNode, Option<Unit>), ExprError> {
    match typed {
        Typed::Number(node, unit) => Ok((node, unit)),
        Typed::Foreign(slot) => Ok((NumberNode::Point(slot), None)),
        Typed::Enum(node, _) => Ok((node, None)),
        other => Err(ExprError::new(ast.span.clone(), format!("this is {}, not a number", describe(&other)))),
    }
}

fn describe(typed: &Typed) -> &'static str {
    match typed {
        Typed::Number(..) => "a number",
        Typed::Condition(_) => "true or false",
        Typed::TextPoint(_) | Typed::Text(_) => "a text",
        Typed::Enum(..) => "an enum",
        Typed::Foreign(_) => "another equipment's point",
        Typed::Age(..) => "an age: it is compared with a duration, as age(p) > 30s",
        Typed::Duration(_) => "a duration",
    }
}

fn unknown_word<'a>(
    what: &str,
    word: &str,
    span: &Range<usize>,
    known: impl Iterator<Item = &'a String>,
) -> ExprError {
    let error = ExprError::new(span.clone(), format!("there is no {what} \"{word}\" here"));
    error.with_help(suggest(word, known.map(String::as_str)).or_known())
}

fn same_unit(span: &Range<usize>, a: Option<&Unit>, b: Option<&Unit>, verb: &str) -> Result<(), ExprError> {
    match (a, b) {
        (Some(a), Some(b)) if a != b => {
            Err(ExprError::new(span.clone(), format!("{a} and {b} cannot be {verb}")).with_help(
                "points that are compared or added have the same unit; a bare number takes the other side's",
            ))
        }
        _ => Ok(()),
    }
}
