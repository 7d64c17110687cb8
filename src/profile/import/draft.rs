//! The draft of an imported profile, and its text.

use std::collections::BTreeSet;

use crate::profile::load;
use crate::source::SourceText;
use crate::words::{ProfileName, is_unshowable};

/// A value in the text of a profile.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Field {
    Text(String),
    Integer(i128),
    Real(f64),
    Flag(bool),
    /// Raw values, written in hexadecimal.
    Raw(Vec<u64>),
    /// Numbers with their names.
    Names(Vec<(u64, String)>),
    /// The smallest and largest value for writing.
    Bounds(f64, f64),
}

/// One point of a draft.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DraftPoint {
    pub name: String,
    /// The entry of the imported file, as remarks name it.
    pub entry: String,
    pub fields: Vec<(&'static str, Field)>,
}

/// Bits of a point, each of which is a fault: number, name, meaning.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DraftCodes {
    pub point: String,
    pub bits: Vec<(u64, String, String)>,
}

/// The draft of an imported profile.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Draft {
    pub(super) vendor: String,
    pub(super) model: String,
    pub(super) kind: String,
    pub(super) source: String,
    pub(super) points: Vec<DraftPoint>,
    pub(super) codes: Vec<DraftCodes>,
    /// One remark for each entry that was left out or that a person should check.
    pub remarks: Vec<String>,
    names: BTreeSet<String>,
}

impl Draft {
    /// Makes a valid point name of a name from outside. A repeated name gets a number.
    pub(super) fn point_name(&mut self, foreign: &str) -> String {
        unique(&mut self.names, &words(foreign).join("_"), '_')
    }

    /// Adds a remark about an entry.
    pub(super) fn remark(&mut self, entry: &str, text: &str) {
        self.remarks.push(format!("{entry}: {text}"));
    }

    /// Adds a point. A point that would not load is left out, with a remark, so that one wrong entry does not stop
    /// the import.
    pub(super) fn add(&mut self, point: DraftPoint) {
        match misfit(&point) {
            None => self.points.push(point),
            Some(why) => self.remark(&point.entry, &format!("left out: {why}")),
        }
    }

    /// Removes the points beyond the limit of a profile.
    pub(super) fn end(&mut self) {
        if self.points.len() > crate::limits::POINTS_MAX {
            let left = self.points.len() - crate::limits::POINTS_MAX;
            self.points.truncate(crate::limits::POINTS_MAX);
            let text = format!(
                "a profile must have at most {} points: the last {left} are left out",
                self.points.len()
            );
            self.remark("all", &text);
        }
    }

    /// The number of points.
    #[must_use]
    pub fn points_count(&self) -> usize {
        self.points.len()
    }

    /// Writes the text of the profile.
    #[must_use]
    pub fn render(&self, name: &str) -> String {
        let mut out = format!("# Imported; check it with: andon profile check {name}.toml\n\n[device]\n");
        for (key, value) in
            [("vendor", &self.vendor), ("model", &self.model), ("kind", &self.kind), ("source", &self.source)]
        {
            out.push_str(&format!("{key} = {}\n", quoted(value)));
        }
        out.push_str("\n[points]\n");
        for point in &self.points {
            out.push_str(&point.render());
        }
        let mut taken = BTreeSet::new();
        for codes in &self.codes {
            out.push_str(&format!("\n[codes.{0}]\npoint = \"{0}\"\nstyle = \"bits\"\n", codes.point));
            for (bit, foreign, means) in &codes.bits {
                let fault = unique(&mut taken, &words(foreign).join("-"), '-');
                out.push_str(&format!(
                    "{bit} = {{ name = \"{fault}\", severity = \"major\", means = {} }}\n",
                    quoted(means)
                ));
            }
        }
        out
    }
}

impl DraftPoint {
    fn render(&self) -> String {
        let fields: Vec<String> =
            self.fields.iter().map(|(key, field)| format!("{key} = {}", field.render())).collect();
        format!("{} = {{ {} }}\n", self.name, fields.join(", "))
    }
}

/// Returns the reason why a point does not load by itself; `None` if it loads. Its scale factor in another point is
/// not checked.
fn misfit(point: &DraftPoint) -> Option<String> {
    let own: Vec<_> = point.fields.iter().filter(|(key, _)| *key != "scale_from").cloned().collect();
    let alone = DraftPoint { fields: own, ..point.clone() };
    let text = format!("[device]\nvendor = \"v\"\nmodel = \"m\"\nkind = \"k\"\n[points]\n{}", alone.render());
    let (profile, found) = load(&ProfileName::parse("draft").ok()?, &SourceText::new("draft", &text));
    if profile.is_some() {
        return None;
    }
    let first = found.list.first()?;
    let label = if first.label.is_empty() { String::new() } else { format!(": {}", first.label) };
    let help = first.help.as_ref().map_or_else(String::new, |help| format!("; {help}"));
    Some(format!("{}{label}{help}", first.message))
}

/// Makes names of numbers valid for a profile: a repeated name gets a number, and a repeated number is removed.
pub(super) fn numbered(names: Vec<(u64, String)>) -> Vec<(u64, String)> {
    let (mut taken, mut numbers) = (BTreeSet::new(), BTreeSet::new());
    let mut out = Vec::new();
    for (number, name) in names {
        if !numbers.insert(number) {
            continue;
        }
        let name = if name.trim().is_empty() { format!("value {number}") } else { name.trim().to_owned() };
        let mut candidate = name.clone();
        let mut count = 2;
        while !taken.insert(candidate.clone()) {
            candidate = format!("{name}_{count}");
            count += 1;
        }
        out.push((number, candidate));
    }
    out
}

impl Field {
    fn render(&self) -> String {
        match self {
            Field::Text(text) => quoted(text),
            Field::Integer(number) => number.to_string(),
            Field::Real(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number:.1}"),
            Field::Real(number) => format!("{number}"),
            Field::Flag(flag) => flag.to_string(),
            Field::Raw(values) => {
                let shown: Vec<String> = values.iter().map(|v| format!("0x{v:X}")).collect();
                format!("[{}]", shown.join(", "))
            }
            Field::Names(names) => {
                let shown: Vec<String> =
                    names.iter().map(|(n, name)| format!("{n} = {}", quoted(name))).collect();
                format!("{{ {} }}", shown.join(", "))
            }
            Field::Bounds(min, max) => {
                format!("{{ min = {}, max = {} }}", Field::Real(*min).render(), Field::Real(*max).render())
            }
        }
    }
}

/// Writes a text from outside as a TOML string on one line.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.trim().chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if is_unshowable(c) => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Splits a name such as `PhVphA`, `Phase Voltage` or `GROUND_FAULT` into words in lower case.
pub(super) fn words(foreign: &str) -> Vec<String> {
    let mut out: Vec<String> = vec![String::new()];
    let mut before = '_';
    for c in foreign.chars().map(without_accent) {
        if !c.is_ascii_alphanumeric() {
            out.push(String::new());
        } else {
            if c.is_ascii_uppercase() && before.is_ascii_lowercase() {
                out.push(String::new());
            }
            if let Some(last) = out.last_mut() {
                last.push(c.to_ascii_lowercase());
            }
        }
        before = c;
    }
    out.retain(|w| !w.is_empty());
    if out.first().is_none_or(|w| !w.starts_with(|c: char| c.is_ascii_lowercase())) {
        out.insert(0, "p".to_owned());
    }
    out
}

/// Returns the letter without its accent, for the letters of western and central Europe.
fn without_accent(c: char) -> char {
    const FOLDED: [(&str, char); 18] = [
        ("ÀÁÂÃÄÅĀĂĄ", 'A'),
        ("àáâãäåāăą", 'a'),
        ("ÇĆČ", 'C'),
        ("çćč", 'c'),
        ("ÈÉÊËĒĘĚ", 'E'),
        ("èéêëēęě", 'e'),
        ("ÌÍÎÏ", 'I'),
        ("ìíîï", 'i'),
        ("ÑŃŇ", 'N'),
        ("ñńň", 'n'),
        ("ÒÓÔÕÖØŐ", 'O'),
        ("òóôõöøő", 'o'),
        ("ÙÚÛÜŮŰ", 'U'),
        ("ùúûüůű", 'u'),
        ("ŚŠśšß", 's'),
        ("ŹŻŽźżž", 'z'),
        ("Łł", 'l'),
        ("Ýýÿ", 'y'),
    ];
    FOLDED.iter().find(|(letters, _)| letters.contains(c)).map_or(c, |(_, plain)| *plain)
}

/// Returns a name that is not taken yet: the name itself, or the name with a number.
fn unique(taken: &mut BTreeSet<String>, name: &str, joint: char) -> String {
    let short: String = name.chars().take(crate::limits::ID_BYTES_MAX - 5).collect();
    let mut candidate = short.clone();
    let mut number = 2;
    while !taken.insert(candidate.clone()) {
        candidate = format!("{short}{joint}{number}");
        number += 1;
    }
    candidate
}
