//! Measures MQTT at its limit: mosquitto delivers 20,000 JSON messages per second at QoS 1, each with a value of one of 20
//! pieces of equipment. The benchmark shows whether the daemon received all messages, and the daemon's share of one core.
//! A separate process publishes the messages. mosquitto keeps all messages that the daemon has not acknowledged
//! (`max_queued_messages 0`), as on a site that must not lose any message.
#![expect(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing, reason = "a benchmark")]

#[path = "process.rs"]
mod process;

use std::process::{Command, Stdio};
use std::time::Duration;

use process::{Running, Workplace, cpu, memory_mib, rest};
use rumqttc::{AsyncClient, Event, MqttOptions, Outgoing, QoS};

const PORT: u16 = 23_883;
const RATE: u64 = 20_000;
const SECONDS: u64 = 10;
const EQUIPMENT: u64 = 20;
const PROFILE: &str = "[device]\nvendor = \"Bench\"\nmodel = \"Message\"\nkind = \"bench\"\n[points]\n\
    count = { topic = \"bench/{topic}\", pointer = \"/count\", type = \"u32\" }\n\
    temperature = { topic = \"bench/{topic}\", pointer = \"/values/temperature\", type = \"f64\", unit = \"degC\" }\n\
    [faults.hot]\nseverity = \"major\"\nwhen = \"temperature > 90\"\non_delay = \"1s\"\nmeans = \"m\"\n";

fn main() {
    if std::env::args().any(|a| a == "--publish") {
        publish();
        return;
    }
    let place = Workplace::new("messages");
    place.write(
        "mosquitto.conf",
        &format!("listener {PORT} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 1000\n"),
    );
    let mut command = Command::new("mosquitto");
    command.arg("-c").arg(place.path().join("mosquitto.conf")).stderr(Stdio::null());
    let broker = Running::start(command);
    rest(Duration::from_secs(1));
    place.write("device-profiles/message.toml", PROFILE);
    let mut site = format!(
        "[gateway]\nname = \"bench\"\n[[link]]\nname = \"shop\"\nkind = \"mqtt\"\nurl = \"mqtt://127.0.0.1:{PORT}\"\n"
    );
    for i in 0..EQUIPMENT {
        site.push_str(&format!(
            "[[equipment]]\nid = \"e{i}\"\nprofile = \"message\"\nlink = \"shop\"\ntopic = \"e{i}\"\n"
        ));
    }
    place.write("andon.toml", &site);
    let daemon = Running::andon(&place, &["--config", "andon.toml", "daemon"]);
    rest(Duration::from_secs(2));
    let before = cpu(daemon.pid());
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("--publish");
    let status = command.status().unwrap();
    assert!(status.success());
    let at_end = taken_in(&place);
    let mut waited = 0;
    while taken_in(&place) < RATE * SECONDS && waited < 100 {
        rest(Duration::from_millis(100));
        waited += 1;
    }
    let spent = cpu(daemon.pid()) - before;
    let all = taken_in(&place);
    let last = place.json(&["--config", "andon.toml", "equipment", "read", "e0", "--last", "--json"]);
    println!(
        "messages: {RATE} JSON messages a second at QoS 1 for {SECONDS} s, {EQUIPMENT} pieces of equipment"
    );
    println!("  taken in       {all} of {}, {at_end} of them when the last was published", RATE * SECONDS);
    println!(
        "  andon daemon   {:.1} % of one core, {:.1} us a message, {:.1} MiB resident",
        spent.as_secs_f64() / Duration::from_secs(SECONDS).as_secs_f64() * 100.0,
        spent.as_secs_f64() * 1e6 / f64::from(u32::try_from(all).unwrap()),
        memory_mib(daemon.pid())
    );
    assert_eq!(all, RATE * SECONDS, "nothing is lost");
    assert_eq!(
        last["points"]["count"]["value"],
        RATE * SECONDS - EQUIPMENT,
        "the last value is the last one sent"
    );
    drop(daemon);
    drop(broker);
}

/// Returns the number of messages that the daemon has received.
fn taken_in(place: &Workplace) -> u64 {
    place.json(&["--config", "andon.toml", "status", "--json"])["links"][0]["requests"].as_u64().unwrap()
}

/// Publishes the messages at the given rate, and ends when the broker has acknowledged all messages.
fn publish() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut options = MqttOptions::new("bench-publisher", "127.0.0.1", PORT);
        options.set_inflight(1000);
        let (client, mut events) = AsyncClient::new(options, 1000);
        let sender = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(Duration::from_millis(10));
            for i in 0..RATE * SECONDS {
                if i % (RATE / 100) == 0 {
                    ticks.tick().await;
                }
                let topic = format!("bench/e{}", i % EQUIPMENT);
                let payload = format!(
                    "{{\"at\":\"2026-11-26T02:14:00Z\",\"count\":{i},\"values\":{{\"temperature\":{}.{},\"pressure\":4.2}},\"state\":\"running\"}}",
                    20 + i % 50,
                    i % 10
                );
                client.publish(topic, QoS::AtLeastOnce, false, payload).await.unwrap();
            }
        });
        let mut acknowledged = 0;
        while acknowledged < RATE * SECONDS {
            match events.poll().await.unwrap() {
                Event::Incoming(rumqttc::Packet::PubAck(_)) => acknowledged += 1,
                Event::Outgoing(Outgoing::Disconnect) => break,
                _ => {}
            }
        }
        sender.await.unwrap();
    });
}
