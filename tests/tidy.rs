//! Checks the rules of `src/ARCHITECTURE.md` in every source line: allowed imports between modules, guarded crates, a doc
//! for each module, the length of files, words that the field does not use, and left-over notes.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test reports a problem by failing")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use andon::words::Rule;

struct Room {
    is_for_all: bool,
    guarded: BTreeSet<String>,
    may_import: BTreeSet<String>,
}

/// Reads the table of modules in `ARCHITECTURE.md`.
fn rooms(map: &str) -> BTreeMap<String, Room> {
    let table = map
        .lines()
        .skip_while(|l| !l.starts_with("| room | duty |"))
        .skip(2)
        .take_while(|l| l.starts_with('|'));
    table
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let words = |cell: &str| cell.split_whitespace().map(str::to_owned).collect::<BTreeSet<_>>();
            let (name, star) = cells[0].split_once(' ').unwrap_or((cells[0], ""));
            let room =
                Room { is_for_all: star == "*", guarded: words(cells[2]), may_import: words(cells[3]) };
            (name.to_owned(), room)
        })
        .collect()
}

/// Returns the reason why a line in a module's file is not allowed; `None` if the line is allowed.
fn offence(rooms: &BTreeMap<String, Room>, room: &str, file: &str, line: &str) -> Option<String> {
    let code = line.split("//").next().unwrap_or("");
    let own = &rooms[room];
    if code.contains("use crate::{") || code.contains("super::super::super") {
        return Some("one `use crate::ROOM::...;` line a room".to_owned());
    }
    // The library is called `andon` by the binary and by the documentation's examples.
    for path in ["crate::", "andon::"] {
        for (at, _) in code.match_indices(path) {
            let rest = &code[at + path.len()..];
            let other: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let Some(target) = rooms.get(&other) else { continue };
            if other != room && !target.is_for_all && !own.may_import.contains(&other) {
                return Some(format!("{room} may not import {other}"));
            }
        }
    }
    // The tests of a module may use every crate.
    let is_test = file.contains("/tests/") || file.ends_with("/tests.rs");
    for (other, target) in rooms.iter().filter(|_| !is_test) {
        for name in target.guarded.iter().filter(|g| !own.guarded.contains(*g)) {
            let is_use =
                |(at, _): (usize, &str)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            if code.match_indices(&format!("{name}::")).any(is_use) {
                return Some(format!("{room} may not use {name}, which belongs to {other}"));
            }
        }
    }
    let pure = [
        "words", "limits", "source", "expr", "profile", "site", "detect", "alarm", "ticket", "service",
        "writing", "baseline", "gateway", "desk", "v1", "view",
    ];
    if pure.contains(&room)
        && ["tokio::", "std::fs", "std::net", "std::time::Instant", "std::env"]
            .iter()
            .any(|w| code.contains(w))
    {
        return Some(format!("{room} is pure: no I/O, no clock, no runtime"));
    }
    let is_wire = file.ends_with("wire.rs") || room != "link";
    if !is_wire && ["tokio::net", "serialport::", "tokio_serial::"].iter().any(|w| code.contains(w)) {
        return Some("only wire.rs touches a socket or port".to_owned());
    }
    None
}

/// Words that must not be used, each with a better word.
const BANNED: [(&str, &str); 6] = [
    ("util", "a name that says the duty"),
    ("helper", "a name that says the duty"),
    ("incident", "ticket"),
    ("asset", "equipment"),
    ("tag_name", "point"),
    ("telemetry", "readings"),
];

fn leftover(line: &str) -> Option<String> {
    let found = ["dbg!(", "FIXME", "TODO", "todo!(", "unimplemented!(", "#[ignore"]
        .iter()
        .find(|w| line.contains(**w));
    if let Some(word) = found {
        return Some(format!("left over: {word}"));
    }
    let lower = line.to_lowercase();
    let is_word = |word: &str| {
        lower.match_indices(word).any(|(at, _)| {
            let letter = |c: Option<char>| c.is_some_and(|c| c.is_alphabetic() || c == '_');
            !letter(lower[..at].chars().next_back()) && !letter(lower[at + word.len()..].chars().next())
        })
    };
    BANNED.iter().find(|(word, _)| is_word(word)).map(|(word, better)| format!("\"{word}\": say {better}"))
}

/// The most lines of a file. A longer file must be split by duty.
const LINES_MAX: usize = 500;

fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

#[test]
fn the_house_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rooms = rooms(&std::fs::read_to_string(root.join("src/ARCHITECTURE.md")).unwrap());
    assert!(rooms.len() > 15, "the table was read");
    let mut all = Vec::new();
    files(&root.join("src"), &mut all);
    let mut problems = Vec::new();
    let mut seen = BTreeSet::new();
    for path in &all {
        let name = path.strip_prefix(root).unwrap().display().to_string();
        let mut parts = path.strip_prefix(root.join("src")).unwrap().iter();
        let first = parts.next().unwrap().to_str().unwrap();
        let room = first.trim_end_matches(".rs");
        if room == "lib" {
            continue;
        }
        if !rooms.contains_key(room) {
            problems.push(format!("{name}:1: {room} has no row in ARCHITECTURE.md"));
            continue;
        }
        seen.insert(room.to_owned());
        let text = std::fs::read_to_string(path).unwrap();
        if !text.starts_with("//!") {
            problems.push(format!("{name}:1: the module has no doc"));
        }
        let count = text.lines().count();
        if count > LINES_MAX {
            problems.push(format!("{name}:{count}: longer than {LINES_MAX} lines; split it by duty"));
        }
        for (index, line) in text.lines().enumerate() {
            let found = offence(&rooms, room, &name, line).or_else(|| leftover(line));
            problems.extend(found.map(|p| format!("{name}:{}: {p}", index + 1)));
        }
    }
    problems.extend(
        rooms.keys().filter(|r| !seen.contains(*r)).map(|r| format!("ARCHITECTURE.md: there is no room {r}")),
    );
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn every_rule_is_named_by_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = Vec::new();
    files(&root.join("src"), &mut all);
    files(&root.join("tests"), &mut all);
    let tests: Vec<String> = all
        .iter()
        .map(|p| (p, std::fs::read_to_string(p).unwrap()))
        .filter(|(p, _)| !p.ends_with("words/refusal.rs") && !p.ends_with("tidy.rs"))
        .map(|(p, t)| {
            if p.components().any(|c| c.as_os_str() == "tests") || p.ends_with("tests.rs") {
                t
            } else {
                t.split("#[cfg(test)]").nth(1).unwrap_or("").to_owned()
            }
        })
        .collect();
    let untested: Vec<Rule> = Rule::ALL
        .into_iter()
        .filter(|rule| {
            let name = format!("Rule::{rule:?}");
            !tests.iter().any(|t| t.contains(&name) || t.contains(rule.code()))
        })
        .collect();
    assert_eq!(untested, Vec::<Rule>::new(), "each refusal has a test that names it");
}

#[test]
fn every_test_that_the_manual_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("src/guide/alarms.md")).unwrap();
    let table = page.split("## Behaviour under bad conditions").nth(1).unwrap();
    let last = table.lines().filter_map(|l| l.trim().strip_suffix('|')?.rsplit('|').next());
    let named: Vec<&str> = last.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    assert!(named.len() > 12, "the table was read");
    let mut all = Vec::new();
    files(&root.join("src"), &mut all);
    files(&root.join("tests"), &mut all);
    let text: String = all.iter().map(|p| std::fs::read_to_string(p).unwrap()).collect();
    let is_there = |name: &str| {
        if name.contains('/') { root.join(name).exists() } else { text.contains(&format!("fn {name}()")) }
    };
    let missing: Vec<&str> = named.into_iter().filter(|n| !is_there(n)).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

const SMALL_MAP: &str = "| room | duty | guarded crates | may import |\n|---|---|---|---|\n| words * | w | | |\n| detect | d | | |\n| store | s | sled | |\n| link | l | serialport | |\n";

#[test]
fn what_is_forbidden_is_seen() {
    let rooms = rooms(SMALL_MAP);
    let check = |room: &str, line: &str| offence(&rooms, room, "x.rs", line);
    assert!(check("detect", "use crate::store::Store;").unwrap().contains("may not import store"));
    assert!(check("detect", "    crate::store::open()").is_some());
    assert!(check("detect", "use sled::Db;").unwrap().contains("belongs to store"));
    assert!(check("detect", "use tokio::time;").is_some());
    assert!(check("detect", "use crate::{store, words};").is_some());
    assert!(check("link", "use serialport::SerialPort;").unwrap().contains("only wire.rs"));
    assert_eq!(check("detect", "use crate::words::Id; // not crate::store::Store"), None);
    assert!(leftover("// TODO later").is_some() && leftover("fn util() {}").is_some());
    assert_eq!(leftover("let utility = 1;"), None);
}

/// Returns the files and folders of `cli`, each with those that it imports.
fn imports_of_cli() -> BTreeMap<String, BTreeSet<String>> {
    let root = Path::new("src/cli");
    let mut paths = Vec::new();
    files(root, &mut paths);
    let unit = |path: &Path| {
        let first = path.strip_prefix(root).unwrap().components().next().unwrap();
        first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
    };
    let units: BTreeSet<String> = paths.iter().map(|p| unit(p)).filter(|u| u != "mod").collect();
    let mut imports: BTreeMap<String, BTreeSet<String>> =
        units.iter().map(|u| (u.clone(), BTreeSet::new())).collect();
    for path in paths.iter().filter(|p| unit(p) != "mod") {
        let own = unit(path);
        let text = std::fs::read_to_string(path).unwrap();
        let is_top = path.parent() == Some(root);
        for statement in text.split("use ").skip(1).map(|rest| rest.split(';').next().unwrap()) {
            let Some(rest) = statement
                .strip_prefix("crate::cli::")
                .or_else(|| statement.strip_prefix("super::").filter(|_| is_top))
            else {
                continue;
            };
            let names = rest.split(|c: char| !c.is_alphanumeric() && c != '_');
            let names: Vec<&str> =
                if rest.starts_with('{') { names.collect() } else { names.take(1).collect() };
            let others = names.into_iter().filter(|n| *n != own && units.contains(*n)).map(str::to_owned);
            imports.get_mut(&own).unwrap().extend(others);
        }
    }
    imports
}

#[test]
fn the_files_of_the_command_line_import_in_one_direction() {
    let mut left = imports_of_cli();
    assert!(left["args"].contains("ticket") && left["ticket"].contains("context"), "{left:?}");
    // A file whose imports are all gone is in order; what is left at the end imports itself in a circle.
    while let Some(free) = left.iter().find(|(_, i)| i.is_empty()).map(|(u, _)| u.clone()) {
        left.remove(&free);
        left.values_mut().for_each(|imports| {
            imports.remove(&free);
        });
    }
    assert!(left.is_empty(), "these import one another in a circle: {left:#?}");
}
