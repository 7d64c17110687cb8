//! Thirty days of a simulated plant from a seed: faults, wire faults, missing responses, restarts with and without recorded
//! readings, clock steps. The events of the desk are compared with a model that knows only the definitions: when a value
//! is known, how long a condition must be true, and which machine does not respond.
//!
//! A failing seed is printed; `ANDON_PLANT_SEED=N cargo test plant` runs it alone.

use std::collections::BTreeMap;

use super::*;
use crate::alarm::AlarmEvent;
use crate::detect::Recorded;
use crate::site::testing::plant;
use crate::ticket::TicketEvent;

const MACHINES: usize = 24;
const DAYS: u64 = 30;
const END: u64 = DAYS * 86_400_000;
const SEEDS: u64 = 200;

const STALE: u64 = 3_605_000;
const OFFLINE: u64 = 7_205_000;
const ON_DELAY: u64 = 4_505_000;
const OFF_DELAY: u64 = 1_805_000;
const PROFILE: &str = "offline_after = '7205s'\n[device]\nvendor='v'\nmodel='m'\nkind='k'\n[points]\n\
    x = { register = 'holding:0', type = 'u16', every = '1h', stale_after = '3605s' }\n\
    y = { register = 'holding:1', type = 'u16', every = '1h', stale_after = '3605s' }\n\
    [faults.slow]\nseverity = 'major'\nwhen = 'x > 6'\nclear = 'x < 4'\non_delay = '4505s'\noff_delay = '1805s'\nmeans = 'm'\n\
    [faults.quick]\nseverity = 'advisory'\nwhen = 'y > 6'\nmeans = 'm'";

struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % n
    }

    /// Returns a random time between two times, in whole tens of seconds.
    fn time(&mut self, from: u64, to: u64) -> u64 {
        (from + self.below(to - from)) / 10_000 * 10_000
    }
}

/// A reading of both points; `None` for a bad reading.
#[derive(Clone, Copy)]
struct Row {
    at: u64,
    x: Option<i64>,
    y: Option<i64>,
}

struct Restart {
    stop: u64,
    start: u64,
    is_warm: bool,
}

struct Script {
    rows: Vec<Vec<Row>>,
    restarts: Vec<Restart>,
    /// The steps of the wall clock: the time, and the size in milliseconds.
    steps: Vec<(u64, i64)>,
}

impl Script {
    fn of(seed: u64) -> Self {
        let mut c = Chance(seed);
        let mut steps: Vec<(u64, i64)> = (0..c.below(4))
            .map(|_| {
                let by = i64::try_from(c.below(7_200_000)).unwrap() - 3_600_000;
                (c.time(86_400_000, END), if by.abs() < 3000 { 5000 } else { by })
            })
            .collect();
        steps.sort_unstable();
        let mut restarts: Vec<Restart> = Vec::new();
        for _ in 0..c.below(8) {
            let stop = c.time(7_200_000, END - 7_200_000);
            let start = stop + 10_000 * (1 + c.below(6));
            // Recorded readings have the time of the wall clock. Readings before a step are not used.
            let is_warm = c.below(2) == 0 && !steps.iter().any(|(at, _)| at.abs_diff(stop) < 2 * ON_DELAY);
            if restarts.iter().all(|r| r.start.abs_diff(stop) > 3 * OFFLINE) {
                restarts.push(Restart { stop, start, is_warm });
            }
        }
        restarts.sort_by_key(|r| r.stop);
        let rows = (0..MACHINES).map(|_| Self::machine(&mut c, &restarts)).collect();
        Script { rows, restarts, steps }
    }

    fn machine(c: &mut Chance, restarts: &[Restart]) -> Vec<Row> {
        let (mut rows, mut at) = (Vec::new(), c.time(0, 600_000));
        let (mut x, mut y) = (1_i64, 1_i64);
        // An episode changes one of the points for a while. There are minutes between two episodes.
        let mut turns = [c.time(at, at + 43_200_000), c.time(at, at + 43_200_000)];
        while at < END {
            if at >= turns[0] {
                x = match x {
                    1..4 => 7 + i64::try_from(c.below(3)).unwrap(),
                    7.. => [1, 5][usize::try_from(c.below(2)).unwrap()],
                    _ => [1, 8][usize::try_from(c.below(2)).unwrap()],
                };
                turns[0] = at + c.time(180_000, if x == 1 { 43_200_000 } else { 21_600_000 });
            }
            if at >= turns[1] {
                y = 10 - y;
                turns[1] = at + c.time(180_000, if y == 1 { 43_200_000 } else { 3_600_000 });
            }
            let is_bad = c.below(20) == 0;
            let row = Row { at, x: (!is_bad).then_some(x), y: (!is_bad).then_some(y) };
            if !restarts.iter().any(|r| (r.stop..r.start).contains(&at)) {
                rows.push(row);
            }
            // Some silences are short, some make values stale, some lose the machine.
            let pause = match c.below(400) {
                0 => c.time(OFFLINE, 4 * OFFLINE),
                1..4 => c.time(STALE, OFFLINE),
                4..40 => c.time(10_000, 120_000),
                _ => c.time(120_000, 1_800_000),
            };
            at += pause;
        }
        rows
    }

    fn wall(&self, ms: u64) -> Wall {
        let stepped: i64 = self.steps.iter().filter(|(at, _)| *at <= ms).map(|(_, by)| by).sum();
        Wall::from_millis(1_800_000_000_000 + i64::try_from(ms).unwrap() + stepped)
    }

    fn now(&self, ms: u64) -> Now {
        // This time is longer than the longest time window.
        Now { mono: Mono((ms + 100_000_000) * 1_000_000), wall: self.wall(ms) }
    }
}

/// A result of the model: a raised or cleared fault of one machine, with its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    Raised(u64),
    Cleared(u64),
}

/// Returns the times at which communication is lost and at which the next response comes.
fn losses(rows: &[Row], restarts: &[Restart]) -> Vec<(u64, u64)> {
    let mut found = Vec::new();
    let answers: Vec<u64> = rows.iter().map(|r| r.at).chain([END]).collect();
    let mut last = 0;
    for next in answers {
        // A restart begins to count again, unless communication with the machine is already lost.
        let mut from = last;
        for r in restarts.iter().filter(|r| r.start > last && r.start <= next) {
            if r.stop >= from + OFFLINE {
                break;
            }
            from = r.start;
        }
        let at = from + OFFLINE;
        if at <= next && at < END {
            found.push((at, next));
        }
        last = next;
    }
    found
}

/// Returns the periods in which a point is known, with its value. A period ends with the next reading, staleness, the loss of
/// communication, or a restart without recorded readings.
fn known(rows: &[Row], script: &Script, of: impl Fn(&Row) -> Option<i64>) -> Vec<(u64, u64, i64)> {
    let losses = losses(rows, &script.restarts);
    let mut found = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        let Some(value) = of(row) else { continue };
        let next = rows.get(i + 1).map_or(u64::MAX, |r| r.at);
        let lost = losses.iter().map(|(at, _)| *at).find(|at| *at > row.at).unwrap_or(u64::MAX);
        let cold = script.restarts.iter().filter(|r| !r.is_warm).map(|r| r.stop).find(|at| *at > row.at);
        let until = next.min(row.at + STALE + 1).min(lost).min(cold.unwrap_or(u64::MAX));
        found.push((row.at, until, value));
    }
    found
}

/// Returns the longest periods in which a condition on the value is true.
fn stretches(known: &[(u64, u64, i64)], is: impl Fn(i64) -> bool) -> Vec<(u64, u64)> {
    let mut found: Vec<(u64, u64)> = Vec::new();
    for (from, until, _) in known.iter().filter(|(_, _, value)| is(*value)) {
        match found.last_mut() {
            Some(last) if last.1 == *from => last.1 = *until,
            _ => found.push((*from, *until)),
        }
    }
    found
}

fn told(script: &Script, machine: usize, fault: &str) -> Vec<Told> {
    let rows = &script.rows[machine];
    let mut all = Vec::new();
    if fault == "communication-lost" {
        for (at, until) in losses(rows, &script.restarts) {
            all.push(Told::Raised(at));
            if until < END {
                all.push(Told::Cleared(until));
            }
        }
        return all;
    }
    let (known, on, off, clear) = match fault {
        "slow" => (known(rows, script, |r| r.x), ON_DELAY, OFF_DELAY, 4),
        _ => (known(rows, script, |r| r.y), 0, 0, 7),
    };
    let due = |from: u64, until: u64, delay: u64| {
        (from + delay <= until && from + delay < END).then_some(from + delay)
    };
    let raising: Vec<u64> =
        stretches(&known, |v| v > 6).into_iter().filter_map(|(from, until)| due(from, until, on)).collect();
    let clearing: Vec<u64> = stretches(&known, |v| v < clear)
        .into_iter()
        .filter_map(|(from, until)| due(from, until, off))
        .collect();
    let mut now = None;
    loop {
        let after = |at: &&u64| now.is_none_or(|now| **at > now);
        let Some(raised) = raising.iter().find(after) else { return all };
        all.push(Told::Raised(*raised));
        let Some(cleared) = clearing.iter().find(|at| *at > raised) else { return all };
        all.push(Told::Cleared(*cleared));
        now = Some(*cleared);
    }
}

/// A change that is due while no daemon runs is recorded when the daemon starts again.
fn as_recorded(script: &Script, told: Told) -> (bool, Wall) {
    let late = |at: u64| {
        let down = script.restarts.iter().find(|r| r.is_warm && at > r.stop && at < r.start);
        script.wall(down.map_or(at, |r| r.start))
    };
    match told {
        Told::Raised(at) => (true, late(at)),
        Told::Cleared(at) => (false, late(at)),
    }
}

struct Gateway {
    desk: Desk,
    record: Vec<Record>,
}

impl Gateway {
    fn drain(&mut self, now: Now) {
        loop {
            let mut last = None;
            while let Some(output) = self.desk.poll_output() {
                if let Output::Write(draft) = output {
                    last = Some(draft.record.seq);
                    self.record.push(Arc::unwrap_or_clone(draft.record));
                }
            }
            let Some(seq) = last else { return };
            self.desk.handle(now, Input::Written(seq));
        }
    }

    /// Handles all times that are due before a given time, in their order.
    fn until(&mut self, script: &Script, ms: u64) {
        while let Some((due, _)) = self.desk.poll_timeout() {
            let at = (due.0 / 1_000_000).saturating_sub(100_000_000);
            if due >= script.now(ms).mono {
                break;
            }
            let now = Now { mono: due, wall: script.wall(at) };
            self.desk.handle(now, Input::Elapsed);
            self.drain(now);
        }
    }
}

fn run(script: &Script, site: &Arc<Site>) -> Vec<Record> {
    let mut g =
        Gateway { desk: Desk::new(site.clone(), State::default(), script.now(0)), record: Vec::new() };
    g.desk.start(script.now(0), "1", &[]);
    g.drain(script.now(0));
    let mut rows: Vec<(u64, usize, Row)> = script
        .rows
        .iter()
        .enumerate()
        .flat_map(|(m, rows)| rows.iter().map(move |r| (r.at, m, *r)))
        .collect();
    rows.sort_by_key(|(at, m, _)| (*at, *m));
    let mut steps = script.steps.iter().peekable();
    let mut restarts = script.restarts.iter().peekable();
    for (i, (at, machine, row)) in rows.iter().enumerate() {
        while let Some(r) = restarts.next_if(|r| r.start <= *at) {
            g.until(script, r.stop);
            restart(&mut g, script, r, &rows[..i], site);
        }
        while let Some((step, _)) = steps.next_if(|(step, _)| step <= at) {
            g.until(script, *step);
            g.desk.handle(script.now(*step), Input::Elapsed);
            g.drain(script.now(*step));
        }
        g.until(script, *at);
        let now = script.now(*at);
        let reading = |value: Option<i64>| {
            let value =
                value.map(|v| Value::Integer(i128::from(v))).ok_or(crate::words::BadReason::NotANumber);
            Reading { value, at: now }
        };
        let readings = vec![(PointIndex(0), reading(row.x)), (PointIndex(1), reading(row.y))];
        let equipment = EquipmentIndex(*machine);
        g.desk.handle(now, Input::Readings { equipment, readings, presence: Presence::Answered });
        g.drain(now);
    }
    g.until(script, END);
    assert_eq!(folded(&g.record), *g.desk.recorded(), "the record adds up to the state");
    g.record
}

fn restart(g: &mut Gateway, script: &Script, r: &Restart, before: &[(u64, usize, Row)], site: &Arc<Site>) {
    let now = script.now(r.start);
    g.desk = Desk::new(site.clone(), folded(&g.record), now);
    g.desk.start(now, "1", &[]);
    if r.is_warm {
        let recent = before.iter().rev().take_while(|(at, _, _)| r.stop - at <= ON_DELAY + 1000);
        let recorded: Vec<Recorded> = recent
            .flat_map(|(at, machine, row)| {
                let of = |p: usize, value: Option<i64>| Recorded {
                    at: script.wall(*at),
                    equipment: EquipmentIndex(*machine),
                    point: PointIndex(p),
                    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
                    value: value.map(|v| v as f64),
                };
                [of(0, row.x), of(1, row.y)]
            })
            .collect();
        g.desk.warm(now, &recorded);
    }
    g.drain(now);
}

fn folded(record: &[Record]) -> State {
    let mut state = State::default();
    for r in record {
        state.apply(r, &mut |_| None);
    }
    state
}

fn check(seed: u64, site: &Arc<Site>) -> Result<usize, String> {
    let script = Script::of(seed);
    let record = run(&script, site);
    let names: Vec<String> = (0..MACHINES).map(|n| format!("m{n}")).collect();
    let mut alarms: BTreeMap<(&str, &str), Vec<(bool, Wall)>> = BTreeMap::new();
    let mut opened: BTreeMap<(&str, &str), Vec<TicketNumber>> = BTreeMap::new();
    let mut recurred: BTreeMap<TicketNumber, usize> = BTreeMap::new();
    for r in &record {
        match &r.event {
            Event::Alarm(AlarmEvent::Raised { equipment, fault, .. }) => {
                alarms.entry((equipment.as_str(), fault.as_str())).or_default().push((true, r.at));
            }
            Event::Alarm(AlarmEvent::Cleared { equipment, fault, .. }) => {
                alarms.entry((equipment.as_str(), fault.as_str())).or_default().push((false, r.at));
            }
            Event::Ticket(TicketEvent::Opened(o)) => {
                opened.entry((o.equipment.as_str(), o.fault.as_str())).or_default().push(o.number);
            }
            Event::Ticket(TicketEvent::Recurred { number, .. }) => *recurred.entry(*number).or_default() += 1,
            _ => {}
        }
    }
    let mut found = 0;
    for (machine, name) in names.iter().enumerate() {
        for fault in ["slow", "quick", "communication-lost"] {
            let expected: Vec<(bool, Wall)> =
                told(&script, machine, fault).into_iter().map(|t| as_recorded(&script, t)).collect();
            let recorded = alarms.remove(&(name.as_str(), fault)).unwrap_or_default();
            if expected != recorded {
                let at = expected.iter().zip(&recorded).position(|(a, b)| a != b);
                let at = at.unwrap_or(expected.len().min(recorded.len()));
                return Err(format!(
                    "seed {seed}: {name} {fault}: its change {at} should be {:?} and is {:?} (true is raised)",
                    expected.get(at),
                    recorded.get(at)
                ));
            }
            found += expected.len();
            // The first raise opens a ticket; every later raise recurs on this ticket. Advisories have no ticket.
            let raised = expected.iter().filter(|(is_raised, _)| *is_raised).count();
            let wanted = if fault == "quick" { (0, 0) } else { (raised.min(1), raised.saturating_sub(1)) };
            let numbers = opened.remove(&(name.as_str(), fault)).unwrap_or_default();
            let again = numbers.first().and_then(|n| recurred.get(n)).copied().unwrap_or(0);
            if (numbers.len(), again) != wanted {
                return Err(format!(
                    "seed {seed}: {name} {fault}: {} tickets opened, {again} times recurred, instead of {wanted:?}",
                    numbers.len()
                ));
            }
        }
    }
    if let Some(key) = alarms.keys().next() {
        return Err(format!("seed {seed}: an alarm of {key:?}, which there is not"));
    }
    Ok(found)
}

#[test]
fn thirty_days_of_a_plant_are_recorded_as_the_model_says() {
    let site = plant(MACHINES, PROFILE);
    let one = option_env!("ANDON_PLANT_SEED").map(|n| n.parse().unwrap());
    let seeds = one.map_or(0..SEEDS, |n: u64| n..n + 1);
    let half = |odd: u64| {
        let site = site.clone();
        let own: Vec<u64> = seeds.clone().filter(|n| n % 2 == odd).collect();
        std::thread::spawn(move || own.into_iter().map(|n| check(n, &site)).collect::<Result<Vec<_>, _>>())
    };
    let ends = [half(0), half(1)].map(|h| h.join().unwrap());
    let mut changes = 0;
    for end in ends {
        changes +=
            end.unwrap_or_else(|why| panic!("{why}; ANDON_PLANT_SEED replays it")).iter().sum::<usize>();
    }
    assert!(changes > 100, "something happened: {changes}");
}
