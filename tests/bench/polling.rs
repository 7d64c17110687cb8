//! Measures the CPU time of the daemon for each request, compared with a plain tokio-modbus loop that reads the same
//! blocks.
//!
//! A separate process simulates 100 Modbus TCP devices. Each device has three blocks, together 50 registers, read every
//! second. The daemon and the loop run one after the other for the same time; the kernel counts their CPU time.
#![expect(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing, reason = "a benchmark")]

#[path = "bare.rs"]
mod bare;
#[path = "process.rs"]
mod process;

use std::fmt::Write as _;
use std::process::Command;
use std::time::Duration;

use process::{Running, Workplace, cpu, memory_mib, rest};

const DEVICES: usize = 100;
const SECONDS: u64 = 20;
const BLOCKS: [(u16, u16); 3] = [(0, 20), (100, 20), (200, 10)];

const PROFILE_HEAD: &str = "[device]\nvendor = \"Bench\"\nmodel = \"Block\"\nkind = \"bench\"\n[modbus]\nmax_gap = 10\n\
    [faults.too-high]\nseverity = \"major\"\nwhen = \"r0 > 60000 and r100 > 60000\"\non_delay = \"2s\"\n[points]\n";

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if let Some(at) = args.iter().position(|a| a == "--bare") {
        bare::run(&args[at + 1..]);
        return;
    }
    let place = Workplace::new("polling");
    let mut profile = PROFILE_HEAD.to_owned();
    for (start, count) in BLOCKS {
        for r in start..start + count {
            writeln!(profile, "r{r} = {{ register = \"holding:{r}\", type = \"u16\" }}").unwrap();
        }
    }
    place.write("device-profiles/bench.toml", &profile);
    let mut plant = String::new();
    let mut site = "[gateway]\nname = \"bench\"\n".to_owned();
    for i in 0..DEVICES {
        let address = format!("127.0.0.1:{}", 21_000 + i);
        write!(plant, "[[line]]\nname = \"l{i}\"\nkind = \"modbus-tcp\"\nlisten = \"{address}\"\n[[device]]\nline = \"l{i}\"\nprofile = \"bench\"\nturnaround = \"0s\"\n[device.points]\n").unwrap();
        for (start, count) in BLOCKS {
            for r in start..start + count {
                writeln!(plant, "r{r} = {{ from = {}, noise = 50 }}", 1000 + r).unwrap();
            }
        }
        write!(site, "[[link]]\nname = \"l{i}\"\nkind = \"modbus-tcp\"\naddress = \"{address}\"\n[[equipment]]\nid = \"e{i}\"\nprofile = \"bench\"\nlink = \"l{i}\"\n").unwrap();
    }
    place.write("plant.toml", &plant);
    place.write("andon.toml", &site);
    let sim = Running::andon(&place, &["sim", "plant.toml"]);
    rest(Duration::from_secs(2));

    let daemon = Running::andon(&place, &["--config", "andon.toml", "daemon"]);
    rest(Duration::from_secs(4));
    let (before, requests_before) = (cpu(daemon.pid()), requests(&place));
    rest(Duration::from_secs(SECONDS));
    let (after, requests_after) = (cpu(daemon.pid()), requests(&place));
    let count = requests_after - requests_before;
    let daemon_us = (after - before).as_secs_f64() * 1e6 / f64::from(count);
    let memory = memory_mib(daemon.pid());
    drop(daemon);

    let blocks: Vec<String> = BLOCKS.iter().map(|(start, count)| format!("{start}+{count}")).collect();
    let mut bare_args = vec!["--bare".to_owned(), blocks.join(",")];
    bare_args.extend((0..DEVICES).map(|i| format!("127.0.0.1:{}", 21_000 + i)));
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(&bare_args);
    let bare = Running::start(command);
    rest(Duration::from_secs(4));
    let before = cpu(bare.pid());
    rest(Duration::from_secs(SECONDS));
    let spent = cpu(bare.pid()) - before;
    drop(bare);
    drop(sim);
    let bare_count = u32::try_from(SECONDS).unwrap() * 3 * u32::try_from(DEVICES).unwrap();
    let bare_us = spent.as_secs_f64() * 1e6 / f64::from(bare_count);
    println!(
        "polling: {DEVICES} Modbus TCP devices, 3 blocks of 50 registers in all each, every 1 s, for {SECONDS} s"
    );
    println!(
        "  andon daemon   {daemon_us:6.1} us of CPU a request ({count} requests, {:.1} MiB resident)",
        memory
    );
    println!("  bare loop      {bare_us:6.1} us of CPU a request");
    println!("  ratio          {:6.2}", daemon_us / bare_us);
}

/// Returns the number of requests that the daemon has sent, from its status.
fn requests(place: &Workplace) -> u32 {
    let status = place.json(&["--config", "andon.toml", "status", "--json"]);
    let links = status["links"].as_array().unwrap();
    u32::try_from(links.iter().map(|l| l["requests"].as_u64().unwrap()).sum::<u64>()).unwrap()
}
