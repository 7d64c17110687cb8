//! Tests of the limits for profiles (too long, too many), and of the time that loading takes.

use std::cell::Cell;
use std::fmt::Write;

use super::{load, load_with};
use crate::expr::{Names, PointInfo};
use crate::limits;
use crate::source::{Diagnostics, SourceText};
use crate::words::ProfileName;

const DEVICE: &str = "[device]\nvendor = 'v'\nmodel = 'm'\nkind = 'k'\n[points]\np = { register = 'holding:0', type = 'u16' }\n";

fn found(text: &str) -> Diagnostics {
    load(&ProfileName::parse("p").unwrap(), &SourceText::new("p.toml", text)).1
}

#[track_caller]
fn check(rest: &str, expected: &str) {
    let lines = found(&format!("{DEVICE}{rest}")).lines();
    assert!(lines.len() == 1 && lines[0].contains(expected), "{lines:#?}");
}

#[test]
fn what_is_too_long_is_refused_with_its_place() {
    let fault = "[faults.f]\nseverity = 'major'\nwhen = 'p > 1'\n";
    let long = |n: usize| "x".repeat(n + 1);
    let (prose, name) = (long(limits::PROSE_BYTES_MAX), long(limits::NAME_BYTES_MAX));
    let means = "faults.f.means must have at most 2048 bytes: this has 2049";
    check(&format!("{fault}means = '{prose}'"), &format!("p.toml:10:9: error: {means}"));
    check(&format!("{fault}sop = '{name}'"), "faults.f.sop must have at most 128 bytes");
    check(&format!("{fault}causes = ['ok', '{}']", long(4 * limits::NAME_BYTES_MAX)), "at most 512 bytes");
    check(&format!("{fault}parts = [{{ id = 'i', name = '{name}' }}]"), "faults.f.parts.name must have");
    check(&format!("{fault}steps = [{{ id = 's', do = '{prose}' }}]"), "faults.f.steps.do must have");
    check(
        &format!("[codes.c]\npoint = 'p'\n1 = {{ name = 'n', means = '{prose}' }}"),
        "codes.c.1.means must have",
    );
    check(
        &format!("[codes.c]\npoint = 'p'\nnone = [0]\n{}1 = {{ name = 'n' }}", "0".repeat(300)),
        "a key must have at most 256 bytes: this has 301",
    );
    let steps = "{ id = 's', do = 'x' },".repeat(limits::GUIDANCE_ENTRIES_MAX + 1);
    let lines = found(&format!("{DEVICE}{fault}steps = [{steps}]")).lines();
    assert!(lines.iter().any(|l| l.contains("faults.f.steps must have at most 100 entries: this has 101")));
    let values: String = (0..=limits::VALUE_NAMES_MAX).map(|n| format!("{n} = 'v{n}',")).collect();
    let text = format!("{DEVICE}q = {{ register = 'holding:1', type = 'enum16', values = {{ {values} }} }}");
    assert!(found(&text).lines().concat().contains("points.q.values must have at most 1024 entries"));
}

#[test]
fn a_condition_names_so_many_points() {
    let points: String = (0..=limits::POINTS_NAMED_MAX)
        .map(|n| format!("p{n} = {{ register = 'coil:{n}', type = 'bool' }}\n"))
        .collect();
    let when = |n: usize| {
        let names: Vec<String> = (0..n).map(|n| format!("p{n}")).collect();
        names.chunks(10).map(|some| format!("({})", some.join(" or "))).collect::<Vec<_>>().join(" or ")
    };
    let text =
        |n| format!("{DEVICE}{points}[faults.f]\nseverity = 'major'\nwhen = '{}'\nmeans = 'm'", when(n));
    assert!(!found(&text(limits::POINTS_NAMED_MAX)).has_errors());
    let lines = found(&text(limits::POINTS_NAMED_MAX + 1)).lines();
    assert!(lines[0].contains("a condition must name at most 100 points"), "{lines:?}");
}

/// Names that count how often all of them are listed.
struct Counting<'a>(&'a dyn Names, &'a Cell<usize>);

impl Names for Counting<'_> {
    fn point(&self, equipment: Option<&str>, name: &str) -> Option<PointInfo> {
        self.0.point(equipment, name)
    }

    fn known(&self, equipment: Option<&str>) -> Vec<String> {
        self.1.set(self.1.get() + 1);
        self.0.known(equipment)
    }
}

#[test]
fn thousands_of_problems_cost_no_more_searches_and_lines_than_are_shown() {
    let mut text = DEVICE.to_owned();
    for n in 0..3_000 {
        writeln!(
            text,
            "[faults.f{n}]\nseverity = 'major'\nmeans = 'm'\nwhen = 'nowhere{n} > 5'\ntrace = ['gone{n}']"
        )
        .unwrap();
    }
    let (own, source) = (ProfileName::parse("p").unwrap(), SourceText::new("p.toml", &text));
    let profile = load(&own, &SourceText::new("p.toml", DEVICE)).0.unwrap();
    let listed = Cell::new(0);
    let diagnostics = load_with(&own, &source, Some(&Counting(&profile, &listed))).1;
    assert!(listed.get() <= limits::DIAGNOSTICS_MAX, "{} times", listed.get());
    assert_eq!(
        (diagnostics.list.len(), diagnostics.more()),
        (limits::DIAGNOSTICS_MAX, 6_000 - limits::DIAGNOSTICS_MAX)
    );
    assert_eq!(diagnostics.lines().last().unwrap(), "and 5900 more problems");
    assert!(diagnostics.lines().concat().len() < 64 * 1024);
}

#[test]
fn a_table_of_too_many_points_is_read_to_its_bound() {
    let mut text = DEVICE.to_owned();
    (0..16_000).for_each(|n| writeln!(text, "w{n} = {{ register = 'nowhere:{n}', type = 'u16' }}").unwrap());
    let diagnostics = found(&text);
    assert!(diagnostics.lines().concat().contains("points must have at most 4096 entries: this has 16001"));
    assert_eq!(diagnostics.list.len() + diagnostics.more(), limits::TABLE_ENTRIES_MAX);
}

#[test]
fn regular_expressions_are_bounded_by_themselves_and_together() {
    let profile = |patterns: &[&str]| {
        let device = "[device]\nvendor = 'v'\nmodel = 'm'\nkind = 'k'\n[points]\np = { from = 's0.x', type = 'f64' }\n";
        let streams = patterns.iter().enumerate().map(|(n, p)| format!("[streams.s{n}]\nmatch = '{p}'\n"));
        found(&format!("{device}{}", streams.collect::<String>())).lines()
    };
    assert_eq!(profile(&["^(?<x>[-+.\\d]+)$"]), Vec::<String>::new());
    let long = format!("(?<x>a){}", "b".repeat(limits::PATTERN_BYTES_MAX));
    assert!(profile(&["(?<x>a)", &long])[0].contains("streams.s1.match must have at most 1024 bytes"));
    assert!(profile(&["(?<x>a)", "\\w{1000}"])[0].contains("match takes too much memory"));
    let wide = vec!["(?<x>\\w{20})"; 400];
    let lines = profile(&wide);
    let together = "the regular expressions of this profile take too much memory together";
    assert!(lines.iter().any(|l| l.contains(together)), "{lines:?}");
    assert!(profile(&["(?<x>a)", "(("])[0].contains("match is not a regular expression"));
}
