//! Splitting of an expression into tokens, each with its place.

use std::ops::Range;

use super::ExprError;
use super::parser::{Arithmetic, Compare};
use crate::words::parse_duration;

/// A token of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Number(f64),
    Duration(std::time::Duration),
    Text(String),
    Name(String),
    /// The prefix `@equipment:` of a point of other equipment.
    Equipment(String),
    Compare(Compare),
    Arithmetic(Arithmetic),
    Open,
    Close,
    Dot,
    Comma,
    And,
    Or,
    Not,
    True,
    False,
}

/// A token and its place, in bytes from the beginning of the expression.
pub(super) type Spanned = (Token, Range<usize>);

/// The symbols. A longer symbol must come before the symbol that it begins with.
const SYMBOLS: [(&str, Token); 14] = [
    ("<=", Token::Compare(Compare::LessOrEqual)),
    (">=", Token::Compare(Compare::GreaterOrEqual)),
    ("==", Token::Compare(Compare::Equal)),
    ("!=", Token::Compare(Compare::Unequal)),
    ("<", Token::Compare(Compare::Less)),
    (">", Token::Compare(Compare::Greater)),
    ("+", Token::Arithmetic(Arithmetic::Add)),
    ("-", Token::Arithmetic(Arithmetic::Subtract)),
    ("*", Token::Arithmetic(Arithmetic::Multiply)),
    ("/", Token::Arithmetic(Arithmetic::Divide)),
    ("(", Token::Open),
    (")", Token::Close),
    (".", Token::Dot),
    (",", Token::Comma),
];

pub(super) fn lex(text: &str) -> Result<Vec<Spanned>, ExprError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = text.get(at..).unwrap_or("");
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let (token, length) = one(rest, c, at)?;
        tokens.push((token, at..at + length));
        at += length;
    }
    Ok(tokens)
}

/// Reads the token at the beginning of `rest`. Returns the token and its length in bytes.
fn one(rest: &str, c: char, at: usize) -> Result<(Token, usize), ExprError> {
    let follows_digit = rest.chars().nth(1).is_some_and(|d| d.is_ascii_digit());
    if c.is_ascii_digit() || (c == '.' && follows_digit) {
        return number(rest, at);
    }
    if c.is_ascii_alphabetic() || c == '_' {
        let length = word_length(rest, |c| c.is_ascii_alphanumeric() || c == '_');
        return Ok((word(rest.get(..length).unwrap_or("")), length));
    }
    if c == '"' || c == '\'' {
        return quoted(rest, c, at);
    }
    if c == '@' {
        let tail = rest.get(1..).unwrap_or("");
        let length = word_length(tail, |c| c.is_ascii_alphanumeric() || c == '-');
        if length == 0 || !tail.get(length..).unwrap_or("").starts_with(':') {
            return Err(ExprError::new(
                at..at + 1 + length,
                "write a point of other equipment as @equipment:point",
            ));
        }
        return Ok((Token::Equipment(tail.get(..length).unwrap_or("").to_owned()), length + 2));
    }
    if let Some((symbol, token)) = SYMBOLS.into_iter().find(|(symbol, _)| rest.starts_with(symbol)) {
        return Ok((token, symbol.len()));
    }
    let help = match c {
        '=' => "for equality write ==",
        '&' => "write: and",
        '|' => "write: or",
        '!' => "write: not, or != for unequal",
        _ => "see `andon guide expressions`",
    };
    Err(ExprError::new(at..at + c.len_utf8(), format!("'{c}' means nothing here")).with_help(help))
}

fn word_length(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

fn word(text: &str) -> Token {
    match text {
        "and" => Token::And,
        "or" => Token::Or,
        "not" => Token::Not,
        "true" => Token::True,
        "false" => Token::False,
        name => Token::Name(name.to_owned()),
    }
}

fn quoted(rest: &str, quote: char, at: usize) -> Result<(Token, usize), ExprError> {
    let tail = rest.get(1..).unwrap_or("");
    match tail.find(quote) {
        Some(end) => Ok((Token::Text(tail.get(..end).unwrap_or("").to_owned()), end + 2)),
        None => Err(ExprError::new(at..at + rest.len(), "this text has no end")
            .with_help(format!("close it with {quote}"))),
    }
}

/// Reads a number: `0x1F`, `12`, `1.5`, `1e-3`. If a unit of time follows directly, the token is a duration: `30s`.
fn number(rest: &str, at: usize) -> Result<(Token, usize), ExprError> {
    if let Some(hex) = rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X")) {
        let length = word_length(hex, |c| c.is_ascii_alphanumeric() || c == '_');
        let digits = hex.get(..length).unwrap_or("").replace('_', "");
        let span = at..at + length + 2;
        #[expect(clippy::cast_precision_loss, reason = "all arithmetic is f64, as documented")]
        return u64::from_str_radix(&digits, 16)
            .map(|n| (Token::Number(n as f64), length + 2))
            .map_err(|_| ExprError::new(span, "this is not a hexadecimal number"));
    }
    let mut length = word_length(rest, |c| c.is_ascii_digit() || c == '.' || c == '_');
    let tail = rest.get(length..).unwrap_or("");
    if let Some(exponent) = tail.strip_prefix(['e', 'E']) {
        let sign = usize::from(exponent.starts_with(['+', '-']));
        let digits = word_length(exponent.get(sign..).unwrap_or(""), |c| c.is_ascii_digit());
        if digits > 0 {
            length += 1 + sign + digits;
        }
    }
    let tail = rest.get(length..).unwrap_or("");
    if tail.starts_with(|c: char| c.is_ascii_alphabetic()) {
        let whole = word_length(rest, |c| c.is_ascii_alphanumeric() || c == '.');
        let text = rest.get(..whole).unwrap_or("");
        return match parse_duration(text) {
            Ok(d) => Ok((Token::Duration(d), whole)),
            Err(_) => {
                Err(ExprError::new(at..at + whole, format!("'{text}' is neither a number nor a duration"))
                    .with_help("a bare number takes the unit of the other side; durations are 500ms, 5s, 2h"))
            }
        };
    }
    let text = rest.get(..length).unwrap_or("").replace('_', "");
    match text.parse::<f64>() {
        Ok(n) if n.is_finite() => Ok((Token::Number(n), length)),
        _ => Err(ExprError::new(at..at + length, "this is not a number")),
    }
}
