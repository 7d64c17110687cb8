//! Tests a damaged journal with the real program: andon names every kind of damage, shows all other tickets, and shortens
//! no file.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::made::{CLOSED, Plant, TICKETS, files, ticket_of};
use crate::support::within;

type Files = BTreeMap<String, Vec<u8>>;

/// A change of the journal: its name, the change itself, and the segments whose lines are lost.
type Change = (&'static str, fn(&mut Files), &'static [&'static str]);

/// Time limit for a start on a busy computer. On an idle computer a start takes a tenth of a second.
const START_MAX: Duration = Duration::from_secs(5);

/// Changes the byte at each of these places, one after the other. A place is a file and an offset.
fn flip_each(plant: &Plant, places: &[(String, usize)]) {
    let lines = plant.lines();
    for (round, (file, at)) in places.iter().enumerate() {
        let mut journal = plant.journal.clone();
        let bytes = journal.get_mut(file).unwrap();
        // The change gives another letter, a control character, or a byte that is not valid text.
        bytes[*at] ^= [1, 0x40, 0x80][round % 3];
        let line = plant.journal[file].iter().take(*at).filter(|b| **b == b'\n').count();
        let index = line + lines.iter().filter(|(name, _)| name < file).count();
        let is_newline = plant.journal[file][*at] == b'\n';
        // A changed newline damages the line before it and the line after it.
        let hit = if is_newline { index..index + 2 } else { index..index + 1 };
        let concerned: BTreeSet<u64> =
            hit.clone().filter_map(|i| lines.get(i)).filter_map(|(_, l)| ticket_of(l)).collect();
        let with_store = round % 2 == 0;
        let what = format!("round {round}: byte {at} of {file}, store {with_store}");
        plant.lay(&journal, with_store);
        let verified = within(START_MAX, &what, || plant.gateway.run("audit verify --json"));
        // Only the store can prove the last line.
        let is_last = hit.end >= lines.len();
        if !is_last || with_store {
            verified.exits(1);
            let audit: serde_json::Value = serde_json::from_str(&verified.stdout()).unwrap();
            for part in audit["damage"].as_array().unwrap() {
                let (first, last) = (part["first_seq"].as_u64().unwrap(), part["last_seq"].as_u64().unwrap());
                let hit = (hit.start as u64 + 1)..=(hit.end as u64);
                assert!(first > last || hit.contains(&first) && hit.contains(&last), "{part}, {what}");
                assert_eq!(part["segment"], **file, "{part}, {what}");
            }
        }
        plant.others_are_whole(&concerned, &what);
        plant.nothing_is_cut(&journal, &what);
        if round % 16 == 3 && !is_last {
            plant.another_is_shown(&concerned, &what);
            plant.gateway.run("status").success().says("THE JOURNAL IS DAMAGED");
            plant.gateway.run("").success().says("THE JOURNAL IS DAMAGED");
            let free = (CLOSED + 1..=TICKETS).find(|n| !concerned.contains(n)).unwrap();
            plant.gateway.run(&format!("note {free} after")).success();
            plant.gateway.run("audit verify").exits(1);
            plant.nothing_is_cut(&journal, &what);
            plant.no_number_is_given_twice(&what);
        }
    }
}

#[test]
fn a_flipped_byte_here_and_there_is_named_and_costs_its_own_line() {
    let plant = Plant::new(3);
    let sampled = |(file, bytes): (&String, &Vec<u8>)| {
        (0..bytes.len()).step_by(61).map(|at| (file.clone(), at)).collect::<Vec<_>>()
    };
    let places: Vec<_> = plant.journal.iter().flat_map(sampled).collect();
    flip_each(&plant, &places);
}

#[test]
fn every_flipped_newline_and_every_byte_of_one_line_is_named() {
    let plant = Plant::new(3);
    let newlines = |(file, bytes): (&String, &Vec<u8>)| {
        let at = bytes.iter().enumerate().filter(|(_, b)| **b == b'\n');
        at.map(|(at, _)| (file.clone(), at)).collect::<Vec<_>>()
    };
    let mut places: Vec<_> = plant.journal.iter().flat_map(newlines).collect();
    // Take the third line of the second segment.
    let second = "00000002.ndjson".to_owned();
    let starts: Vec<usize> =
        newlines((&second, &plant.journal[&second])).iter().map(|(_, at)| at + 1).collect();
    places.extend((starts[1]..starts[2] - 1).map(|at| (second.clone(), at)));
    flip_each(&plant, &places);
}

/// Returns the tickets that the lines of these segments are about.
fn concerned_by(plant: &Plant, segments: &[&str]) -> BTreeSet<u64> {
    let lines = plant.lines();
    let hit = lines.iter().filter(|(name, _)| segments.contains(&name.as_str()));
    hit.filter_map(|(_, line)| ticket_of(line)).collect()
}

/// Checks the gateway without a daemon and with a daemon. `is_named` is true if andon must report damage.
fn look(plant: &Plant, journal: &Files, concerned: &BTreeSet<u64>, is_named: bool, what: &str) {
    let code = i32::from(is_named);
    within(START_MAX, what, || plant.gateway.run("audit verify")).exits(code);
    for screen in ["status", ""] {
        let run = plant.gateway.run(screen);
        assert_eq!(
            run.success().stdout().contains("THE JOURNAL IS DAMAGED"),
            is_named,
            "{what}: {}",
            run.stdout()
        );
    }
    plant.others_are_whole(concerned, what);
    plant.another_is_shown(concerned, what);
    plant.nothing_is_cut(journal, what);
}

fn look_with_daemon(
    plant: &mut Plant,
    journal: &Files,
    concerned: &BTreeSet<u64>,
    is_named: bool,
    what: &str,
) {
    within(START_MAX, what, || {
        plant.gateway.start();
    });
    look(plant, journal, concerned, is_named, what);
    if let Some(free) = (CLOSED + 1..=TICKETS).find(|n| !concerned.contains(n)) {
        plant.gateway.run(&format!("note {free} after")).success();
    }
    plant.gateway.stop();
    plant.gateway.run("audit verify").exits(i32::from(is_named));
    plant.nothing_is_cut(journal, what);
    plant.no_number_is_given_twice(what);
}

/// Tests each change of the journal's files with and without the store, and with and without a daemon.
fn each(changes: &[Change], is_named: impl Fn(&str, bool) -> bool) {
    let mut plant = Plant::new(3);
    for (name, change, lost) in changes {
        let mut journal = plant.journal.clone();
        change(&mut journal);
        let concerned = concerned_by(&plant, lost);
        for with_store in [true, false] {
            let what = format!("{name}, store {with_store}");
            plant.lay(&journal, with_store);
            let is_named = is_named(name, with_store);
            look(&plant, &journal, &concerned, is_named, &what);
            plant.lay(&journal, with_store);
            look_with_daemon(&mut plant, &journal, &concerned, is_named, &what);
        }
    }
}

fn swap(journal: &mut Files, a: &str, b: &str) {
    let (was_a, was_b) = (journal[a].clone(), journal[b].clone());
    journal.insert(a.to_owned(), was_b);
    journal.insert(b.to_owned(), was_a);
}

const ONE: &str = "00000001.ndjson";
const TWO: &str = "00000002.ndjson";
const THREE: &str = "00000003.ndjson";

#[test]
fn missing_and_cut_segments_are_named() {
    let changes: [Change; 6] = [
        ("first missing", |j| drop(j.remove(ONE)), &[ONE]),
        ("second missing", |j| drop(j.remove(TWO)), &[TWO]),
        ("last missing", |j| drop(j.remove(THREE)), &[THREE]),
        ("first cut in a line", |j| j.get_mut(ONE).unwrap().truncate(1000), &[ONE]),
        ("second emptied", |j| j.get_mut(TWO).unwrap().clear(), &[TWO]),
        (
            "last cut after a line",
            |j| {
                let last = j.get_mut(THREE).unwrap();
                let at = last.iter().position(|b| *b == b'\n').unwrap();
                last.truncate(at + 1);
            },
            &[THREE],
        ),
    ];
    // Only the store can show that the end is missing.
    each(&changes, |name, with_store| with_store || !name.starts_with("last"));
}

#[test]
fn doubled_and_exchanged_segments_are_named_and_cost_nothing() {
    let changes: [Change; 5] = [
        ("first doubled", |j| drop(j.insert("00000004.ndjson".to_owned(), j[ONE].clone())), &[]),
        ("second doubled", |j| drop(j.insert("00000007.ndjson".to_owned(), j[TWO].clone())), &[]),
        ("last doubled", |j| drop(j.insert("00000004.ndjson".to_owned(), j[THREE].clone())), &[]),
        ("first and second exchanged", |j| swap(j, ONE, TWO), &[]),
        ("second and last exchanged", |j| swap(j, TWO, THREE), &[]),
    ];
    each(&changes, |_, _| true);
}

#[test]
fn foreign_files_are_left_alone_and_are_no_damage() {
    let changes: [Change; 3] = [
        ("old.ndjson", |j| drop(j.insert("old.ndjson".to_owned(), j[TWO].clone())), &[]),
        ("backup.ndjson", |j| drop(j.insert("backup.ndjson".to_owned(), j[ONE].clone())), &[]),
        ("a segment with .bak", |j| drop(j.insert("00000001.ndjson.bak".to_owned(), j[ONE].clone())), &[]),
    ];
    each(&changes, |_, _| false);
}

#[test]
fn a_link_in_a_segments_place_is_refused_and_its_target_stays() {
    let mut plant = Plant::new(3);
    let target = plant.gateway.path("somewhere.ndjson");
    for place in [TWO, "00000004.ndjson"] {
        for with_store in [true, false] {
            let what = format!("{place}, store {with_store}");
            let mut journal = plant.journal.clone();
            let bytes = journal.remove(place).unwrap_or_else(|| journal[THREE].clone());
            let concerned = if place == TWO { concerned_by(&plant, &[TWO]) } else { BTreeSet::new() };
            let lay = |plant: &Plant| {
                plant.lay(&journal, with_store);
                std::fs::write(&target, &bytes).unwrap();
                std::os::unix::fs::symlink(&target, plant.gateway.data().join("journal").join(place))
                    .unwrap();
            };
            lay(&plant);
            look(&plant, &journal, &concerned, true, &what);
            lay(&plant);
            look_with_daemon(&mut plant, &journal, &concerned, true, &what);
            assert_eq!(std::fs::read(&target).unwrap(), bytes, "{what}");
            let link = plant.gateway.data().join("journal").join(place);
            assert!(link.symlink_metadata().unwrap().is_symlink(), "{what}");
        }
    }
}

#[test]
fn a_torn_tail_is_kept_aside_and_nothing_else_is_cut() {
    let plant = Plant::new(3);
    let mut journal = plant.journal.clone();
    journal.get_mut(THREE).unwrap().extend_from_slice(b"{\"seq\":9999,\"pr");
    for with_store in [true, false] {
        plant.lay(&journal, with_store);
        plant.gateway.run("audit verify").success();
        plant.nothing_is_cut(&journal, "only looked at");
        plant.gateway.run("note 8 after").success();
        plant.nothing_is_cut(&plant.journal, "written on");
        let kept = files(&plant.gateway.data().join("journal"));
        let aside = kept.iter().find(|(name, _)| name.contains("torn")).unwrap();
        assert_eq!(aside.1, b"{\"seq\":9999,\"pr");
        plant.gateway.run("audit verify").success();
        plant.no_number_is_given_twice("after a torn tail");
    }
}
