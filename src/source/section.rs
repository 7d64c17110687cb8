//! Reading of a TOML table, key by key. A key that the reader asks for is known; every other key is an error.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::diagnostic::Diagnostics;
use super::text::Span;
use crate::limits;
use crate::words::parse_duration;

/// A value and its place in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// The place of the value in the text, in bytes.
    pub span: Span,
}

/// Parses a TOML text and gives its root table to `read`. All syntax errors are noted.
pub fn read_toml<T>(
    diagnostics: &mut Diagnostics,
    read: impl FnOnce(&Section<'_>) -> Option<T>,
) -> Option<T> {
    let text = diagnostics.source.text.clone();
    let (root, errors) = DeTable::parse_recoverable(&text);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        diagnostics.error(span, error.message().replace('\n', " "), "");
    }
    let sink = RefCell::new(std::mem::replace(diagnostics, Diagnostics::new(diagnostics.source.clone())));
    let out = {
        let section = Section::new(&sink, root.get_ref(), 0..0, String::new());
        read(&section)
    };
    *diagnostics = sink.into_inner();
    out
}

/// A table that is being read.
pub struct Section<'a> {
    pub(super) sink: &'a RefCell<Diagnostics>,
    table: &'a DeTable<'a>,
    span: Span,
    pub(super) path: String,
    known: RefCell<BTreeSet<String>>,
}

type Entry<'a> = (&'a toml::Spanned<DeValue<'a>>, Span);

/// The form of the value of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A number, a text, `true`, `false` or a date.
    Scalar,
    /// A list: `[1, 2]`.
    List,
    /// A table: `{ a = 1 }` or `[section]`.
    Table,
}

/// An item of a list that can contain numbers and words.
#[derive(Debug, Clone, PartialEq)]
pub enum NumberOrWord {
    /// A whole number.
    Integer(i128),
    /// A number with a fraction or with an exponent.
    Real(f64),
    /// A text in quotes.
    Text(String),
}

impl<'a> Section<'a> {
    fn new(sink: &'a RefCell<Diagnostics>, table: &'a DeTable<'a>, span: Span, path: String) -> Self {
        Self { sink, table, span, path, known: RefCell::new(BTreeSet::new()) }
    }

    /// The place of the table.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span.clone()
    }

    /// True if the table has this key. The key then counts as known.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    /// The form of the value of a key; `None` if the table does not have the key.
    #[must_use]
    pub fn shape(&self, key: &str) -> Option<Shape> {
        self.entry(key).map(|(value, _)| match value.get_ref() {
            DeValue::Array(_) => Shape::List,
            DeValue::Table(_) => Shape::Table,
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => Shape::Scalar,
        })
    }

    /// The place of a key; the place of the table if the table does not have the key.
    #[must_use]
    pub fn key_span(&self, key: &str) -> Span {
        self.table.get_key_value(key).map_or(self.span(), |(k, _)| k.span())
    }

    /// Notes an error at a place.
    pub fn error(&self, span: Span, message: impl Into<String>, label: impl Into<String>) {
        self.sink.borrow_mut().error(span, message, label);
    }

    /// Notes an error with a proposed correction.
    pub fn error_with_help(
        &self,
        span: Span,
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.sink.borrow_mut().error_with_help(span, message, label, help);
    }

    /// Notes a warning.
    pub fn warning(
        &self,
        span: Span,
        message: impl Into<String>,
        label: impl Into<String>,
        help: Option<String>,
    ) {
        self.sink.borrow_mut().warning(span, message, label, help);
    }

    pub(super) fn entry(&self, key: &str) -> Option<Entry<'a>> {
        self.known.borrow_mut().insert(key.to_owned());
        self.table.get(key).map(|v| (v, v.span()))
    }

    pub(super) fn wrong_type(&self, key: &str, span: Span, found: &DeValue<'_>, wanted: &str) {
        self.error(
            span,
            format!("{}{key} must be {wanted}", self.path),
            format!("this is {}", with_article(found.type_str())),
        );
    }

    fn read<T>(
        &self,
        key: &str,
        wanted: &str,
        convert: impl Fn(&DeValue<'a>) -> Option<T>,
    ) -> Option<Spanned<T>> {
        let (value, span) = self.entry(key)?;
        let converted = convert(value.get_ref());
        if converted.is_none() {
            self.wrong_type(key, span.clone(), value.get_ref(), wanted);
        }
        converted.map(|value| Spanned { value, span })
    }

    /// A whole number: decimal, hexadecimal, octal or binary, as in TOML.
    #[must_use]
    pub fn integer(&self, key: &str) -> Option<Spanned<i128>> {
        self.read(key, "a whole number", integer)
    }

    /// A whole number from `min` to `max`. Another number is an error.
    #[must_use]
    pub fn integer_between(&self, key: &str, min: i128, max: i128) -> Option<Spanned<i128>> {
        let found = self.integer(key)?;
        if (min..=max).contains(&found.value) {
            return Some(found);
        }
        self.error(
            found.span,
            format!("{}{key} must be from {min} to {max}, not {}", self.path, found.value),
            "",
        );
        None
    }

    /// A finite number.
    #[must_use]
    pub fn number(&self, key: &str) -> Option<Spanned<f64>> {
        self.read(key, "a number", number).filter(|found| {
            if !found.value.is_finite() {
                self.error(found.span.clone(), format!("{}{key} must be a finite number", self.path), "");
            }
            found.value.is_finite()
        })
    }

    /// A number from `min` to `max`. Another number is an error.
    #[must_use]
    pub fn number_between(&self, key: &str, min: f64, max: f64) -> Option<f64> {
        let found = self.number(key)?;
        if (min..=max).contains(&found.value) {
            return Some(found.value);
        }
        let message = format!("{}{key} must be from {min} to {max}, not {}", self.path, found.value);
        self.error(found.span, message, "");
        None
    }

    /// The value `true` or `false`.
    #[must_use]
    pub fn flag(&self, key: &str) -> Option<Spanned<bool>> {
        self.read(key, "true or false", DeValue::as_bool)
    }

    /// A duration, such as `"5s"`.
    #[must_use]
    pub fn duration(&self, key: &str) -> Option<Spanned<Duration>> {
        let text = self.text(key)?;
        match parse_duration(&text.value) {
            Ok(value) => Some(Spanned { value, span: text.span }),
            Err(meant) => {
                self.error(text.span, format!("{}{key} must be a duration", self.path), meant);
                None
            }
        }
    }

    /// A duration from `min` to `max`. Another duration is an error.
    #[must_use]
    pub fn duration_between(&self, key: &str, min: Duration, max: Duration) -> Option<Duration> {
        let found = self.duration(key)?;
        if (min..=max).contains(&found.value) {
            return Some(found.value);
        }
        let (min, max) = (crate::words::render_duration(min), crate::words::render_duration(max));
        let message = format!("{}{key} must be from {min} to {max}", self.path);
        self.error(found.span, message, "this is out of range");
        None
    }

    /// One of several words. An unknown word is an error.
    #[must_use]
    pub fn choice<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Option<Spanned<T>> {
        let text = self.text(key)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text.value) {
            return Some(Spanned { value: *value, span: text.span });
        }
        let help = self.suggest(&text.value, words.iter().map(|(w, _)| *w)).or_known();
        self.error_with_help(
            text.span,
            format!("unknown {key} \"{}\"", text.value),
            "not one of the known words",
            help,
        );
        None
    }

    /// A list whose items `convert` accepts. An item that `convert` refuses is an error.
    pub(super) fn list<T>(
        &self,
        key: &str,
        wanted: &str,
        convert: impl Fn(&DeValue<'a>) -> Option<T>,
    ) -> Vec<Spanned<T>> {
        let Some((value, span)) = self.entry(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(key, span, value.get_ref(), &format!("a list of {wanted}"));
            return Vec::new();
        };
        let mut out = Vec::new();
        self.is_counted(key, span, array.len(), limits::LIST_ENTRIES_MAX);
        for item in array.iter().take(limits::LIST_ENTRIES_MAX) {
            match convert(item.get_ref()) {
                Some(value) => out.push(Spanned { value, span: item.span() }),
                None => self.wrong_type(key, item.span(), item.get_ref(), &format!("a list of {wanted}")),
            }
        }
        out
    }

    /// A list of whole numbers.
    #[must_use]
    pub fn integers(&self, key: &str) -> Vec<Spanned<i128>> {
        self.list(key, "whole numbers", integer)
    }

    /// A list of numbers and words, such as `[0x8000, 9.9e37, "nan"]`.
    #[must_use]
    pub fn marks(&self, key: &str) -> Vec<Spanned<NumberOrWord>> {
        self.list(key, "numbers or words", |v| match v {
            DeValue::String(text) => Some(NumberOrWord::Text(text.as_ref().to_owned())),
            DeValue::Integer(_) => integer(v).map(NumberOrWord::Integer),
            DeValue::Float(_) => number(v).map(NumberOrWord::Real),
            DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
        })
    }

    /// The table under a key.
    #[must_use]
    pub fn section(&self, key: &str) -> Option<Section<'a>> {
        let (value, span) = self.entry(key)?;
        match value.get_ref().as_table() {
            Some(table) => {
                let span = if span.is_empty() { self.key_span(key) } else { span };
                Some(Section::new(self.sink, table, span, format!("{}{key}.", self.path)))
            }
            None => {
                self.wrong_type(key, span, value.get_ref(), "a table");
                None
            }
        }
    }

    /// A list of tables: `[[key]]`, or inline tables in a list. It has at most [`limits::LIST_ENTRIES_MAX`] entries.
    #[must_use]
    pub fn sections(&self, key: &str) -> Vec<Section<'a>> {
        self.sections_up_to(key, limits::LIST_ENTRIES_MAX)
    }

    /// A list of at most `most` tables.
    #[must_use]
    pub fn sections_up_to(&self, key: &str, most: usize) -> Vec<Section<'a>> {
        let Some((value, span)) = self.entry(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(key, span, value.get_ref(), "a list of tables");
            return Vec::new();
        };
        let mut out = Vec::new();
        self.is_counted(key, span, array.len(), most);
        for item in array.iter().take(most) {
            match item.get_ref().as_table() {
                Some(table) => {
                    out.push(Section::new(self.sink, table, item.span(), format!("{}{key}.", self.path)));
                }
                None => self.wrong_type(key, item.span(), item.get_ref(), "a list of tables"),
            }
        }
        out
    }

    /// The names of all entries of this table, in the order of the file: for tables whose keys are names. At most
    /// [`limits::TABLE_ENTRIES_MAX`] names are returned, each of at most [`limits::KEY_BYTES_MAX`] bytes; others are
    /// errors.
    #[must_use]
    pub fn names(&self) -> Vec<Spanned<String>> {
        self.names_up_to(limits::TABLE_ENTRIES_MAX)
    }

    /// Returns at most `most` names, as [`Self::names`] does.
    #[must_use]
    pub fn names_up_to(&self, most: usize) -> Vec<Spanned<String>> {
        let mut names: Vec<_> = self
            .table
            .iter()
            .map(|(k, _)| Spanned { value: k.get_ref().to_string(), span: k.span() })
            .collect();
        names.sort_by_key(|n| n.span.start);
        self.is_counted("", self.span(), names.len(), most);
        let refused = names.split_off(most.min(names.len()));
        let (names, long): (Vec<_>, Vec<_>) =
            names.into_iter().partition(|name| name.value.len() <= limits::KEY_BYTES_MAX);
        for name in &long {
            let message = format!("a key must have at most {} bytes", limits::KEY_BYTES_MAX);
            self.error(name.span.clone(), message, format!("this has {}", name.value.len()));
        }
        // A refused key is already an error: `finish` must not report it again as unknown.
        self.known.borrow_mut().extend(refused.into_iter().chain(long).map(|name| name.value));
        names
    }

    /// Any single value under a key: for the expected values of a test case.
    #[must_use]
    pub fn scalar(&self, key: &str) -> Option<Spanned<crate::words::Value>> {
        use crate::words::Value;
        self.read(key, "a number, text, true or false", |v| match v {
            DeValue::String(t) => Some(Value::Text(t.as_ref().into())),
            DeValue::Boolean(b) => Some(Value::Bool(*b)),
            DeValue::Integer(_) => integer(v).map(Value::Integer),
            DeValue::Float(_) => number(v).map(Value::Real),
            DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
        })
    }

    /// Notes that a key is missing, with an example of its value.
    pub fn missing(&self, key: &str, example: &str) {
        let path = self.path.trim_end_matches('.');
        let place = if path.is_empty() { String::new() } else { format!(" in [{path}]") };
        let span = self.span.start..self.span.end.min(self.span.start + 80);
        self.error_with_help(span, format!("{key} is missing{place}"), "", format!("add: {key} = {example}"));
    }

    /// Returns `found`. Notes an error if the table does not have the key.
    pub fn required<T>(&self, key: &str, example: &str, found: Option<T>) -> Option<T> {
        if found.is_none() && !self.table.contains_key(key) {
            self.missing(key, example);
        }
        found
    }

    /// Ends the table. Every key that was not asked for is an error; the help is the most similar known key.
    pub fn finish(&self) {
        let known = self.known.borrow();
        for (key, _) in self.table.iter() {
            let name = key.get_ref().as_ref();
            if known.contains(name) {
                continue;
            }
            let help = self.suggest(name, known.iter().map(String::as_str)).or_known();
            let path = self.path.trim_end_matches('.');
            let place = if path.is_empty() { "at the top" } else { path };
            self.error_with_help(key.span(), format!("unknown key `{name}` in {place}"), "", help);
        }
    }
}

fn with_article(kind: &str) -> String {
    match kind {
        "integer" | "array" => format!("an {kind}"),
        other => format!("a {other}"),
    }
}

fn integer(value: &DeValue<'_>) -> Option<i128> {
    let int = value.as_integer()?;
    let text = int.as_str().replace('_', "");
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(&text)),
    };
    i128::from_str_radix(digits, int.radix()).ok()?.checked_mul(sign)
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    if let Some(float) = value.as_float() {
        return float.as_str().replace('_', "").parse().ok();
    }
    #[expect(clippy::cast_precision_loss, reason = "a number in a profile is an f64")]
    integer(value).map(|i| i as f64)
}

#[cfg(test)]
mod tests {
    use super::super::SourceText;
    use super::*;

    #[track_caller]
    fn check(text: &str, lines: &[&str]) {
        let mut diagnostics = Diagnostics::new(SourceText::new("f.toml", text));
        read_toml(&mut diagnostics, |root| {
            if let Some(device) = root.section("device") {
                let vendor = device.text("vendor");
                let _ = device.required("vendor", "\"ABB\"", vendor);
                let _every = device.duration("every");
                let _unit = device.integer_between("unit", 0, 247);
                device.finish();
            }
            root.finish();
            Some(())
        });
        assert_eq!(diagnostics.lines(), lines);
    }

    #[test]
    fn all_problems_are_told_at_once() {
        check(
            "[device]\nvendr = 'x'\nevery = '5'\nunit = 300\n",
            &[
                "f.toml:1:1: error: vendor is missing in [device]; help: add: vendor = \"ABB\"",
                "f.toml:3:9: error: device.every must be a duration: write a number and a unit, as 500ms, 5s, 1m30s, 2000h or 7d",
                "f.toml:4:8: error: device.unit must be from 0 to 247, not 300",
                "f.toml:2:1: error: unknown key `vendr` in device; help: did you mean vendor?",
            ],
        );
    }

    #[test]
    fn a_wrong_type_says_what_it_is() {
        let wanted = "f.toml:2:10: error: device.vendor must be a text: this is an integer";
        check("[device]\nvendor = 7\n", &[wanted]);
    }

    #[test]
    fn syntax_errors_have_a_place() {
        let mut diagnostics = Diagnostics::new(SourceText::new("f", "a = \nb = [1,\n"));
        read_toml(&mut diagnostics, |_| Some(()));
        assert!(diagnostics.list.len() >= 2, "{:?}", diagnostics.lines());
    }
}
