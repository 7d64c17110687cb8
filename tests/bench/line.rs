//! Measures a serial line at its limit: 8 units with 20 registers on a simulated line with accurate character times, read
//! as fast as possible.
//!
//! The result is compared with the limit of the line, T(20) = (13 + 2 * 20) characters + 2 silences, without turnaround.
//! A second run has two dead units and measures which share of their rate the other six units keep.
#![expect(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing, reason = "a benchmark")]

#[path = "process.rs"]
mod process;

use std::fmt::Write as _;
use std::time::Duration;

use process::{Running, Workplace, rest};

const SECONDS: u64 = 15;
const SETTLE: Duration = Duration::from_secs(20);

fn main() {
    println!("line: 8 units of 20 registers, flat out, for {SECONDS} s");
    for baud in [9600_u32, 19_200, 115_200] {
        let character = 11.0 / f64::from(baud);
        let silence = if baud > 19_200 { 0.00175 } else { 3.5 * character };
        let limit = 1.0 / (53.0 * character + 2.0 * silence);
        let live = rates(baud, &[]);
        let all: f64 = live.iter().sum();
        let with_dead = rates(baud, &[3, 6]);
        let kept: Vec<f64> =
            [0, 1, 3, 4, 6, 7].iter().map(|u| with_dead[*u] / (live[*u] * 8.0 / 6.0)).collect();
        let least = kept.iter().copied().fold(f64::INFINITY, f64::min);
        println!(
            "  {baud:6} baud  {all:6.1} of {limit:6.1} transactions/s ({:5.1} %); with 2 of 8 dead the living keep {:5.1} % of what is then theirs",
            all / limit * 100.0,
            least * 100.0
        );
    }
}

/// Returns the requests per second of each unit. The units in `dead` never answer.
fn rates(baud: u32, dead: &[u8]) -> Vec<f64> {
    let place = Workplace::new("line");
    let mut profile = "[device]\nvendor = \"b\"\nmodel = \"b\"\nkind = \"b\"\n[points]\n".to_owned();
    for r in 0..20 {
        writeln!(
            profile,
            "r{r} = {{ register = \"holding:{r}\", type = \"u16\", every = \"10ms\", stale_after = \"60s\" }}"
        )
        .unwrap();
    }
    place.write("device-profiles/bench.toml", &profile);
    let mut plant =
        format!("[[line]]\nname = \"bus\"\nkind = \"modbus-rtu\"\npath = \"bus.pty\"\nbaud = {baud}\n");
    let mut site = format!(
        "[gateway]\nname = \"b\"\n[[link]]\nname = \"bus\"\nkind = \"modbus-rtu\"\nport = \"bus.pty\"\nbaud = {baud}\nparity = \"none\"\nstop_bits = 2\n"
    );
    for unit in 1..=8_u8 {
        if !dead.contains(&unit) {
            write!(plant, "[[device]]\nline = \"bus\"\nunit = {unit}\nprofile = \"bench\"\nturnaround = \"0s\"\n[device.points]\nr0 = {{ wave = \"saw\", from = 0, to = 60000, period = \"13s\" }}\nr1 = {unit}\n").unwrap();
        }
        write!(site, "[[equipment]]\nid = \"u{unit}\"\nprofile = \"bench\"\nlink = \"bus\"\nunit = {unit}\n")
            .unwrap();
    }
    place.write("plant.toml", &plant);
    place.write("andon.toml", &site);
    let sim = Running::andon(&place, &["sim", "plant.toml"]);
    rest(Duration::from_secs(1));
    let daemon = Running::andon(&place, &["daemon"]);
    // Wait until the daemon has found the dead units and probes these units less often.
    rest(if dead.is_empty() { Duration::from_secs(4) } else { SETTLE });
    let before = requests(&place);
    rest(Duration::from_secs(SECONDS));
    let after = requests(&place);
    drop(daemon);
    drop(sim);
    let seconds = f64::from(u32::try_from(SECONDS).unwrap());
    before.iter().zip(&after).map(|(b, a)| f64::from(a - b) / seconds).collect()
}

fn requests(place: &Workplace) -> Vec<u32> {
    let status = place.json(&["status", "--json"]);
    let all = status["equipment"].as_array().unwrap();
    all.iter().map(|e| u32::try_from(e["requests"].as_u64().unwrap()).unwrap()).collect()
}
