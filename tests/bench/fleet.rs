//! Measures the daemon's share of one core and its memory under two loads on Modbus TCP: 500 devices with 30 float points,
//! and 1,000 devices with 100 registers, read every second. Other gateways publish figures for these loads. For
//! comparison, a plain loop on the same crates only reads. Each device has its own connection; a separate process
//! simulates the devices.
#![expect(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing, reason = "a benchmark")]

#[path = "bare.rs"]
mod bare;
#[path = "process.rs"]
mod process;

use std::fmt::Write as _;
use std::process::Command;
use std::time::Duration;

use process::{Running, Workplace, cpu, memory_mib, rest};

const SECONDS: u64 = 20;

struct Load {
    name: &'static str,
    devices: usize,
    points: usize,
    kind: &'static str,
    width: usize,
    published: &'static str,
}

const LOADS: [Load; 2] = [
    Load {
        name: "500 devices of 30 float tags",
        devices: 500,
        points: 30,
        kind: "f32",
        width: 2,
        published: "aim 1.5 % and 40 MB",
    },
    Load {
        name: "1,000 devices of 100 registers",
        devices: 1000,
        points: 100,
        kind: "u16",
        width: 1,
        published: "aim 4 % and 100 MB; ng-gateway publishes 7.0 % and 153 MiB, Neuron 30 % and 497 MB",
    },
];

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if let Some(at) = args.iter().position(|a| a == "--bare") {
        bare::run(&args[at + 1..]);
        return;
    }
    for load in &LOADS {
        measure(load);
    }
}

/// Returns a command whose process may open 8192 files, so that it can have all connections of the load.
fn roomy(program: &std::path::Path, args: &[String]) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg("ulimit -n 8192; exec \"$@\"").arg("sh").arg(program).args(args);
    command.stdout(std::process::Stdio::null());
    command
}

fn measure(load: &Load) {
    let place = Workplace::new("fleet");
    let mut profile =
        "[device]\nvendor = \"Bench\"\nmodel = \"Fleet\"\nkind = \"bench\"\n[points]\n".to_owned();
    for p in 0..load.points {
        let register = p * load.width;
        writeln!(profile, "p{p} = {{ register = \"holding:{register}\", type = \"{}\" }}", load.kind)
            .unwrap();
    }
    profile.push_str(
        "[faults.too-high]\nseverity = \"major\"\nwhen = \"p0 > 60000 and p1 > 60000\"\nmeans = \"m\"\n",
    );
    place.write("device-profiles/fleet.toml", &profile);
    let mut plant = String::new();
    let mut site = "[gateway]\nname = \"bench\"\n".to_owned();
    let mut addresses = Vec::new();
    for i in 0..load.devices {
        let address = format!("127.0.0.1:{}", 22_000 + i);
        write!(plant, "[[line]]\nname = \"l{i}\"\nkind = \"modbus-tcp\"\nlisten = \"{address}\"\n[[device]]\nline = \"l{i}\"\nprofile = \"fleet\"\nturnaround = \"0s\"\n[device.points]\n").unwrap();
        for p in 0..load.points {
            writeln!(plant, "p{p} = {{ from = {}, noise = 50 }}", 1000 + p).unwrap();
        }
        write!(site, "[[link]]\nname = \"l{i}\"\nkind = \"modbus-tcp\"\naddress = \"{address}\"\n[[equipment]]\nid = \"e{i}\"\nprofile = \"fleet\"\nlink = \"l{i}\"\n").unwrap();
        addresses.push(address);
    }
    place.write("plant.toml", &plant);
    place.write("andon.toml", &site);
    let andon = std::path::Path::new(env!("CARGO_BIN_EXE_andon"));
    let at = |name: &str| place.path().join(name).display().to_string();
    let sim = Running::start(roomy(andon, &["sim".to_owned(), at("plant.toml")]));
    rest(Duration::from_secs(4));
    let daemon =
        Running::start(roomy(andon, &["--config".to_owned(), at("andon.toml"), "daemon".to_owned()]));
    rest(Duration::from_secs(6));
    let (before, requests_before) = (cpu(daemon.pid()), requests(&place));
    rest(Duration::from_secs(SECONDS));
    let (after, requests_after) = (cpu(daemon.pid()), requests(&place));
    let memory = memory_mib(daemon.pid());
    drop(daemon);
    let share = (after - before).as_secs_f64() / Duration::from_secs(SECONDS).as_secs_f64() * 100.0;
    let count = requests_after - requests_before;

    let block = format!("0+{}", load.points * load.width);
    let mut args = vec!["--bare".to_owned(), block];
    args.extend(addresses);
    let bare = Running::start(roomy(&std::env::current_exe().unwrap(), &args));
    rest(Duration::from_secs(6));
    let before = cpu(bare.pid());
    rest(Duration::from_secs(SECONDS));
    let spent = (cpu(bare.pid()) - before).as_secs_f64() / Duration::from_secs(SECONDS).as_secs_f64() * 100.0;
    let bare_memory = memory_mib(bare.pid());
    drop(bare);
    drop(sim);
    println!("fleet: {}, every 1 s, for {SECONDS} s ({})", load.name, load.published);
    println!("  andon daemon   {share:5.2} % of one core, {:.1} MiB resident ({count} requests)", memory);
    println!("  bare loop      {spent:5.2} % of one core, {:.1} MiB resident", bare_memory);
}

/// Returns the number of requests that the daemon has sent, from its status.
fn requests(place: &Workplace) -> u64 {
    let status = place.json(&["--config", "andon.toml", "status", "--json"]);
    status["links"].as_array().unwrap().iter().map(|l| l["requests"].as_u64().unwrap()).sum()
}
