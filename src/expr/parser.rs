//! Conversion of tokens into a tree by recursive descent, with one function for each rule of the grammar.
//!
//! ```text
//! or         = and { "or" and }
//! and        = not { "and" not }
//! not        = "not" not | comparison
//! comparison = sum [ ( "==" | "!=" | "<" | "<=" | ">" | ">=" ) sum ]
//! sum        = product { ( "+" | "-" ) product }
//! product    = unary { ( "*" | "/" ) unary }
//! unary      = "-" unary | primary
//! primary    = NUMBER | DURATION | TEXT | "true" | "false" | "(" or ")" | point | call
//! point      = [ "@" EQUIPMENT ":" ] NAME [ "." BIT ]
//! call       = FUNCTION "(" point [ "," DURATION ] ")"
//! ```

use std::ops::Range;
use std::time::Duration;

use super::ExprError;
use super::function::{FUNCTIONS, Function};
use super::lexer::{Spanned, Token, lex};
use crate::limits;
use crate::source::suggest;

/// The operator of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Compare {
    /// The symbol of the operator.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Compare::Equal => "==",
            Compare::Unequal => "!=",
            Compare::Less => "<",
            Compare::LessOrEqual => "<=",
            Compare::Greater => ">",
            Compare::GreaterOrEqual => ">=",
        }
    }
}

impl Compare {
    /// The same comparison with exchanged sides.
    pub(super) fn mirrored(self) -> Self {
        match self {
            Compare::Less => Compare::Greater,
            Compare::LessOrEqual => Compare::GreaterOrEqual,
            Compare::Greater => Compare::Less,
            Compare::GreaterOrEqual => Compare::LessOrEqual,
            Compare::Equal | Compare::Unequal => self,
        }
    }
}

/// The operator of an arithmetic expression: `+`, `-`, `*` or `/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
}

/// The tree of an expression. Each part has its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Ast {
    /// The place, in bytes from the beginning of the expression.
    pub span: Range<usize>,
    /// The part itself.
    pub part: Part,
}

/// A part of an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// A number.
    Number(f64),
    /// A quoted text.
    Text(String),
    /// `true` or `false`.
    Flag(bool),
    /// A point: `name`, `name.bit`, `@equipment:name` or `@equipment:name.bit`.
    Point {
        /// The id of other equipment; `None` for the equipment of the profile.
        equipment: Option<String>,
        /// The name of the point.
        name: String,
        /// The name of the bit; `None` for the whole value.
        bit: Option<String>,
    },
    /// A function over time: `avg(name, 10m)`.
    Call {
        /// The function.
        function: Function,
        /// The point; always a [`Part::Point`].
        point: Box<Ast>,
        /// The window or time constant; `None` if the function has none.
        window: Option<Duration>,
    },
    /// A duration with which an age is compared: `30s`.
    Duration(Duration),
    /// `-x`
    Negate(Box<Ast>),
    /// `not x`
    Not(Box<Ast>),
    /// `x and y`
    And(Box<Ast>, Box<Ast>),
    /// `x or y`
    Or(Box<Ast>, Box<Ast>),
    /// `x < y`
    Compare(Compare, Box<Ast>, Box<Ast>),
    /// `x + y`
    Arithmetic(Arithmetic, Box<Ast>, Box<Ast>),
    /// A call that is well formed and wrong; it is told with whatever else the checking finds.
    Wrong(Box<ExprError>),
}

/// Parses an expression.
///
/// # Errors
/// The first error, with its place and a proposed correction.
pub fn parse(text: &str) -> Result<Ast, ExprError> {
    if text.len() > limits::EXPRESSION_BYTES_MAX {
        return Err(ExprError::new(
            0..0,
            format!("an expression has at most {} bytes", limits::EXPRESSION_BYTES_MAX),
        ));
    }
    let tokens = lex(text)?;
    let mut parser = Parser { tokens: &tokens, at: 0, end: text.len(), depth: 0 };
    let ast = parser.or()?;
    match parser.peek() {
        None => Ok(ast),
        Some((_, span)) => Err(ExprError::new(span.clone(), "the expression should end here")
            .with_help("join conditions with and, or")),
    }
}

struct Parser<'a> {
    tokens: &'a [Spanned],
    at: usize,
    end: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Spanned> {
        self.tokens.get(self.at)
    }

    fn take(&mut self, wanted: &Token) -> bool {
        let found = self.peek().is_some_and(|(t, _)| t == wanted);
        self.at += usize::from(found);
        found
    }

    fn or(&mut self) -> Result<Ast, ExprError> {
        self.joined(&Token::Or, Self::and, Part::Or)
    }

    fn and(&mut self) -> Result<Ast, ExprError> {
        self.joined(&Token::And, Self::not, Part::And)
    }

    fn joined(
        &mut self,
        word: &Token,
        operand: fn(&mut Self) -> Result<Ast, ExprError>,
        make: fn(Box<Ast>, Box<Ast>) -> Part,
    ) -> Result<Ast, ExprError> {
        let mut left = operand(self)?;
        let mut joined = 0;
        while self.take(word) {
            joined += 1;
            self.too_deep(self.depth + joined)?;
            let right = operand(self)?;
            left = join(left, right, make);
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Ast, ExprError> {
        let start = self.here().start;
        if self.take(&Token::Not) {
            let inner = self.deeper(Self::not)?;
            return Ok(Ast { span: start..inner.span.end, part: Part::Not(Box::new(inner)) });
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Ast, ExprError> {
        let left = self.sum()?;
        let Some((Token::Compare(compare), _)) = self.peek() else { return Ok(left) };
        self.at += 1;
        let right = self.sum()?;
        if let Some((Token::Compare(_), second)) = self.peek() {
            let error = ExprError::new(second.clone(), "a comparison does not chain");
            return Err(error.with_help("write: a < b and b < c"));
        }
        Ok(join(left, right, |l, r| Part::Compare(*compare, l, r)))
    }

    fn sum(&mut self) -> Result<Ast, ExprError> {
        self.arithmetic([Arithmetic::Add, Arithmetic::Subtract], Self::product)
    }

    fn product(&mut self) -> Result<Ast, ExprError> {
        self.arithmetic([Arithmetic::Multiply, Arithmetic::Divide], Self::unary)
    }

    fn arithmetic(
        &mut self,
        operators: [Arithmetic; 2],
        operand: fn(&mut Self) -> Result<Ast, ExprError>,
    ) -> Result<Ast, ExprError> {
        let mut left = operand(self)?;
        let mut joined = 0;
        while let Some((Token::Arithmetic(operator), _)) = self.peek()
            && operators.contains(operator)
        {
            self.at += 1;
            joined += 1;
            self.too_deep(self.depth + joined)?;
            let right = operand(self)?;
            left = join(left, right, |l, r| Part::Arithmetic(*operator, l, r));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Ast, ExprError> {
        let start = self.here().start;
        if self.take(&Token::Arithmetic(Arithmetic::Subtract)) {
            let inner = self.deeper(Self::unary)?;
            return Ok(Ast { span: start..inner.span.end, part: Part::Negate(Box::new(inner)) });
        }
        self.primary()
    }

    fn primary(&mut self) -> Result<Ast, ExprError> {
        let Some((token, span)) = self.peek() else {
            return Err(ExprError::new(self.here(), "the expression ends too early")
                .with_help("a point, a number or a quoted text belongs here"));
        };
        self.at += 1;
        let part = match token {
            Token::Number(n) => Part::Number(*n),
            Token::Text(t) => Part::Text(t.clone()),
            Token::True => Part::Flag(true),
            Token::False => Part::Flag(false),
            Token::Name(name) => return self.point(None, name, span),
            Token::Equipment(id) => match self.peek() {
                Some((Token::Name(name), _)) => {
                    self.at += 1;
                    return self.point(Some(id.clone()), name, span);
                }
                _ => return Err(ExprError::new(span.clone(), "a point's name belongs behind the colon")),
            },
            Token::Open => {
                let inner = self.deeper(Self::or)?;
                let end = self.here();
                return if self.take(&Token::Close) {
                    Ok(Ast { span: span.start..end.end, part: inner.part })
                } else {
                    Err(ExprError::new(span.clone(), "this parenthesis is never closed"))
                };
            }
            Token::Duration(d) => Part::Duration(*d),
            Token::Compare(_)
            | Token::Arithmetic(_)
            | Token::Close
            | Token::Dot
            | Token::Comma
            | Token::And
            | Token::Or
            | Token::Not => {
                return Err(ExprError::new(span.clone(), "a point, a number or a quoted text belongs here"));
            }
        };
        Ok(Ast { span: span.clone(), part })
    }

    fn point(
        &mut self,
        equipment: Option<String>,
        name: &str,
        span: &Range<usize>,
    ) -> Result<Ast, ExprError> {
        if self.peek().is_some_and(|(t, _)| *t == Token::Open) {
            return self.call(name, span);
        }
        let mut end = self.tokens.get(self.at.saturating_sub(1)).map_or(span.end, |(_, s)| s.end);
        let mut bit = None;
        if self.take(&Token::Dot) {
            match self.peek() {
                Some((Token::Name(b), s)) => {
                    bit = Some(b.clone());
                    end = s.end;
                    self.at += 1;
                }
                _ => return Err(ExprError::new(self.here(), "a bit's name belongs behind the dot")),
            }
        }
        Ok(Ast { span: span.start..end, part: Part::Point { equipment, name: name.to_owned(), bit } })
    }

    /// Reads `(point)` or `(point, duration)` after the name of a function. The next token is the parenthesis.
    fn call(&mut self, name: &str, span: &Range<usize>) -> Result<Ast, ExprError> {
        let Some(signature) = FUNCTIONS.iter().find(|s| s.name == name) else {
            let error = ExprError::new(span.clone(), format!("there is no function {name}"))
                .with_help(suggest(name, FUNCTIONS.map(|s| s.name)).or_known());
            self.pass_over_arguments();
            return Ok(Ast { span: span.clone(), part: Part::Wrong(Box::new(error)) });
        };
        let written =
            if signature.has_window { format!("{name}(point, 10m)") } else { format!("{name}(point)") };
        self.at += 1;
        let here = self.here();
        let point = self.deeper(Self::primary)?;
        if !matches!(point.part, Part::Point { .. }) {
            return Err(ExprError::new(here, "a function over time takes a point")
                .with_help(format!("write: {written}")));
        }
        let mut window = None;
        let mut wrong = None;
        if signature.has_window {
            let here = self.here();
            let comma = self.take(&Token::Comma);
            let length = self.peek().filter(|_| comma);
            let Some((Token::Duration(d), place)) = length else {
                return Err(ExprError::new(here, format!("{name} wants a time"))
                    .with_help(format!("write: {written}")));
            };
            if !(limits::WINDOW_MIN..=limits::WINDOW_MAX).contains(d) {
                wrong = Some(Box::new(ExprError::new(place.clone(), "a time here is from 1ms to 31d")));
            }
            self.at += 1;
            window = Some(*d);
        }
        let end = self.here();
        if !self.take(&Token::Close) {
            let error = if end.start >= self.end {
                ExprError::new(span.clone(), "this parenthesis is never closed")
            } else {
                ExprError::new(end, format!("{name} takes nothing more"))
            };
            return Err(error.with_help(format!("write: {written}")));
        }
        let call = Part::Call { function: signature.function, point: Box::new(point), window };
        let part = wrong.map_or(call, Part::Wrong);
        Ok(Ast { span: span.start..end.end, part })
    }

    /// Goes on behind the parenthesis that closes the one here, or at the end.
    fn pass_over_arguments(&mut self) {
        let mut open = 0_usize;
        while let Some((token, _)) = self.peek() {
            self.at += 1;
            match token {
                Token::Open => open += 1,
                Token::Close => open -= 1,
                _ => {}
            }
            if open == 0 {
                return;
            }
        }
    }

    fn deeper<T>(&mut self, f: impl FnOnce(&mut Self) -> Result<T, ExprError>) -> Result<T, ExprError> {
        self.depth += 1;
        self.too_deep(self.depth)?;
        let out = f(self);
        self.depth -= 1;
        out
    }

    fn too_deep(&self, depth: usize) -> Result<(), ExprError> {
        if depth <= limits::EXPRESSION_DEPTH_MAX {
            return Ok(());
        }
        Err(ExprError::new(
            self.here(),
            format!("an expression nests at most {} deep", limits::EXPRESSION_DEPTH_MAX),
        ))
    }

    fn here(&self) -> Range<usize> {
        self.peek().map_or(self.end..self.end, |(_, span)| span.clone())
    }
}

fn join(left: Ast, right: Ast, make: impl FnOnce(Box<Ast>, Box<Ast>) -> Part) -> Ast {
    let span = left.span.start..right.span.end;
    Ast { span, part: make(Box::new(left), Box::new(right)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(ast: &Ast) -> String {
        match &ast.part {
            Part::Number(n) => n.to_string(),
            Part::Text(t) => format!("{t:?}"),
            Part::Flag(b) => b.to_string(),
            Part::Point { equipment, name, bit } => {
                let e = equipment.as_ref().map_or(String::new(), |e| format!("@{e}:"));
                let b = bit.as_ref().map_or(String::new(), |b| format!(".{b}"));
                format!("{e}{name}{b}")
            }
            Part::Call { function, point, window } => match window {
                Some(d) => format!("{function:?}({}, {}s)", shape(point), d.as_secs_f64()),
                None => format!("{function:?}({})", shape(point)),
            },
            Part::Duration(d) => format!("{}s", d.as_secs_f64()),
            Part::Negate(a) => format!("(- {})", shape(a)),
            Part::Not(a) => format!("(not {})", shape(a)),
            Part::And(a, b) => format!("(and {} {})", shape(a), shape(b)),
            Part::Or(a, b) => format!("(or {} {})", shape(a), shape(b)),
            Part::Compare(c, a, b) => format!("({} {} {})", c.symbol(), shape(a), shape(b)),
            Part::Arithmetic(o, a, b) => format!("({o:?} {} {})", shape(a), shape(b)),
            Part::Wrong(e) => format!("{e:?}"),
        }
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(shape(&parse(text).unwrap()), expected);
    }

    #[track_caller]
    fn fails(text: &str, at: usize, message: &str) {
        let error = parse(text).unwrap_err();
        assert_eq!((error.span.start, error.message.as_str()), (at, message));
    }

    #[test]
    fn precedence() {
        check("a or b and not c", "(or a (and b (not c)))");
        check("a + b * -c < 0x1F", "(< (Add a (Multiply b (- c))) 31)");
        check("not a == b", "(not (== a b))");
        check("(a or b) and c.run", "(and (or a b) c.run)");
        check("@compressor-1:pressure / 2 >= 1e-3", "(>= (Divide @compressor-1:pressure 2) 0.001)");
        check("1 - 2 - 3 == 0", "(== (Subtract (Subtract 1 2) 3) 0)");
        check("mode == \"auto\" and true", "(and (== mode \"auto\") true)");
        check("avg(a, 1m30s) - min > 2", "(> (Subtract Avg(a, 90s) min) 2)");
        check("30s < age(@c-1:p)", "(< 30s Age(@c-1:p))");
        check("count(status.run, 500ms) == previous(n)", "(== Count(status.run, 0.5s) Previous(n))");
    }

    #[test]
    fn refusals_have_a_place() {
        fails("a < b < c", 6, "a comparison does not chain");
        fails("a = 3", 2, "'=' means nothing here");
        fails("a <", 3, "the expression ends too early");
        fails("(a", 0, "this parenthesis is never closed");
        fails("a b", 2, "the expression should end here");
        fails("avg(a)", 5, "avg wants a time");
        fails("avg(a, 5)", 5, "avg wants a time");
        fails("avg(3, 5s)", 4, "a function over time takes a point");
        fails("age(a, 5s)", 5, "age takes nothing more");
        fails("avg(a, 5s", 0, "this parenthesis is never closed");
        fails("a == \"x", 5, "this text has no end");
        fails("a > 5V", 4, "'5V' is neither a number nor a duration");
        fails("", 0, "the expression ends too early");
    }

    #[test]
    fn depth_is_bounded() {
        let deep = format!("{}a{}", "(".repeat(2000), ")".repeat(2000));
        assert!(parse(&deep).is_err());
        assert!(parse(&format!("{} a", "not ".repeat(900))).is_err());
        assert!(parse(&vec!["a"; 900].join(" and ")).is_err());
    }
}
