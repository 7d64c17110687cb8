//! Tests the simulator with mbpoll, a Modbus client of other authors.

use std::process::Command;

use crate::support::{Gateway, Sim, free_port};

const PLANT: &str = r#"
[[line]]
name = "cell"
kind = "modbus-tcp"
listen = "127.0.0.1:{port}"
[[line]]
name = "bus"
kind = "modbus-rtu"
path = "bus.pty"
baud = 19200
[[device]]
line = "cell"
unit = 3
profile = "powtran-pi500"
[device.points]
output_frequency = 50
dc_bus_voltage = 540.0
run_state = "forward"
[[device]]
line = "bus"
unit = 7
profile = "powtran-pi500"
start = "running"
[device.states.running]
output_frequency = 45.5
[[device]]
line = "bus"
unit = 8
profile = "eastron-sdm630"
[device.points]
l1_voltage = 230.5
"#;

/// Runs mbpoll, and returns the values that it prints, as `[address]: value` lines.
fn mbpoll(args: &[&str]) -> Vec<String> {
    let output = Command::new("mbpoll")
        .args(["-1", "-0", "-q"])
        .args(args)
        .output()
        .unwrap_or_else(|e| panic!("mbpoll: {e}; tests/run installs the counterparts"));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text.lines().filter(|l| l.starts_with('[')).map(|l| l.replace('\t', " ")).collect()
}

#[test]
fn mbpoll_reads_it_on_both_wires() {
    let port = free_port().to_string();
    let gateway = Gateway::new().file("plant.toml", &PLANT.replace("{port}", &port));
    let _sim = Sim::start(&gateway);
    let tcp = ["-p", &port, "-a", "3", "-t", "4"];
    let found = mbpoll(&[&tcp[..], &["-r", "4097", "-c", "2", "127.0.0.1"]].concat());
    assert_eq!(found, ["[4097]:  5000", "[4098]:  5400"]);
    let found = mbpoll(&[&tcp[..], &["-r", "12288", "-c", "1", "127.0.0.1"]].concat());
    assert_eq!(found, ["[12288]:  1"]);
    let bus = gateway.path("bus.pty").display().to_string();
    let rtu = ["-m", "rtu", "-b", "19200", "-P", "none", "-s", "2"];
    let found = mbpoll(&[&rtu[..], &["-a", "7", "-t", "4", "-r", "4097", "-c", "1", &bus]].concat());
    assert_eq!(found, ["[4097]:  4550"]);
    let found = mbpoll(&[&rtu[..], &["-a", "8", "-t", "3:float", "-B", "-r", "0", "-c", "1", &bus]].concat());
    assert_eq!(found, ["[0]:  230.5"]);
}

#[test]
fn a_wrong_plant_is_refused_with_its_place() {
    let wrong = PLANT.replace("output_frequency = 45.5", "output_freqency = 45.5").replace("{port}", "0");
    let gateway = Gateway::new().file("plant.toml", &wrong);
    let run = gateway.run("sim plant.toml");
    run.exits(2)
        .says("there is no point output_freqency")
        .says("did you mean output_frequency?")
        .says("plant.toml:25:1");
}

#[test]
fn the_demo_tells_its_whole_story() {
    let gateway = Gateway::new();
    let dir = gateway.path("demo").display().to_string();
    let run = gateway.run(&format!("demo --auto --dir {dir}"));
    run.success()
        .says("a metering plug on the broker")
        .says("The drive of press-7 has tripped")
        .says("Ticket 1 is open")
        .says("replaced brake resistor")
        .says("closed");
    let config = format!("--config {dir}/andon.toml --data {dir}/data");
    let past = gateway.run(&format!("history {config} --json")).json();
    assert_eq!(
        (&past[0]["fault"], &past[0]["state"]),
        (&"overvoltage-decelerating".into(), &"closed".into())
    );
    gateway.run(&format!("audit verify {config}")).success();
}

#[test]
fn a_ramp_of_the_first_state_begins_when_the_simulator_does() {
    let port = free_port().to_string();
    let plant = PLANT
        .replace("{port}", &port)
        .replace("= 50\n", "= { wave = \"ramp\", from = 10, to = 50, period = \"1h\" }\n");
    let gateway = Gateway::new().file("plant.toml", &plant);
    let _sim = Sim::start(&gateway);
    let found = mbpoll(&["-p", &port, "-a", "3", "-t", "4", "-r", "4097", "-c", "1", "127.0.0.1"]);
    // The value is 10 Hz in hundredths, and only a little more in the first seconds of an hour.
    let value: u32 = found[0].trim_start_matches("[4097]:").trim().parse().unwrap();
    assert!((1000..1030).contains(&value), "{found:?}");
}
