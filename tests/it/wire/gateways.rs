//! Tests network gateways as they are in the field: they close connections, are busy, or are off. A fault is raised when its
//! delay is over, one failed request does not affect other units, and a link without a connection is one ticket.

use std::time::Duration;

use serde_json::Value;

use crate::support::manner::{Manner, MannerServer};
use crate::support::{Gateway, eventually, free_port};

const DELAY: i64 = 7000;

/// Returns a profile with a point that is polled at this period, and a fault on this point with a delay of 7 s.
fn profile(every: &str) -> String {
    format!(
        "[points]\nlevel = {{ register = \"holding:0\", type = \"u16\", every = \"{every}\" }}\n\
         [faults.high]\nseverity = \"major\"\nwhen = \"level > 200\"\non_delay = \"7s\"\noff_delay = \"3s\"\nmeans = \"The level is high.\"\n"
    )
}

fn link(name: &str, port: u16) -> String {
    format!("[[link]]\nname = \"{name}\"\nkind = \"modbus-tcp\"\naddress = \"127.0.0.1:{port}\"\n")
}

fn equipment(id: &str, profile: &str, link: &str, unit: u8) -> String {
    format!("[[equipment]]\nid = \"{id}\"\nprofile = \"{profile}\"\nlink = \"{link}\"\nunit = {unit}\n")
}

fn millis(time: &Value) -> i64 {
    time.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

fn now() -> i64 {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

fn alarm_of<'a>(alarms: &'a Value, id: &str, fault: &str) -> Option<&'a Value> {
    alarms.as_array()?.iter().find(|a| a["equipment"] == id && a["fault"] == fault)
}

#[test]
fn a_fault_is_raised_when_its_delay_is_over_whatever_the_gateway_does() {
    let closes = MannerServer::start(|_| Manner::AnswerAndClose);
    let idle = MannerServer::closing_when_idle(Duration::from_secs(1));
    let busy =
        MannerServer::start(|a| if a.number.is_multiple_of(2) { Manner::Refuse(6) } else { Manner::Answer });
    let hangs_up = MannerServer::start(|a| match (a.unit, a.function) {
        (3, 4) => Manner::Close,
        _ => Manner::Answer,
    });
    let odd = "[points]\nlevel = { register = \"holding:0\", type = \"u16\", every = \"1s\" }\n\
               other = { register = \"input:0\", type = \"u16\", every = \"5s\" }\n";
    let site = [
        link("closes", closes.port),
        link("idle", idle.port),
        link("busy", busy.port),
        link("hangs-up", hangs_up.port),
        equipment("at-closes", "fast", "closes", 1),
        equipment("at-idle", "slow", "idle", 1),
        equipment("at-busy", "fast", "busy", 1),
        equipment("neighbour", "fast", "hangs-up", 1),
        equipment("odd", "odd", "hangs-up", 3),
    ];
    let mut gateway = Gateway::new()
        .profile("fast", &profile("1s"))
        .profile("slow", &profile("3s"))
        .profile("odd", odd)
        .site(&site.concat());
    gateway.start();
    let all = [("at-closes", &closes), ("at-idle", &idle), ("at-busy", &busy), ("neighbour", &hangs_up)];
    for (id, _) in all {
        gateway
            .until(&format!("equipment read {id} --last --json"), |r| r["points"]["level"]["value"] == 100);
    }
    let onset = now();
    for (_, server) in all {
        server.set(1, 0, 300);
    }
    let alarms = gateway.until("alarm list --json", |alarms| {
        all.iter().all(|(id, _)| alarm_of(alarms, id, "high").is_some())
    });
    for (id, _) in all {
        let alarm = alarm_of(&alarms, id, "high").unwrap();
        let (began, raised) = (millis(&alarm["onset"]), millis(&alarm["raised_at"]));
        assert!(began >= onset, "{id}: {began} {onset}");
        // Times are told in whole milliseconds.
        assert!(
            (raised - began - DELAY).abs() <= 1,
            "{id}: a delay ends when it is due, not {}",
            raised - began
        );
    }
    let status = gateway.run("status --json").json();
    for e in status["equipment"].as_array().unwrap() {
        let (state, message) = (e["state"].as_str().unwrap(), e["message"].as_str().unwrap());
        match e["id"].as_str().unwrap() {
            "odd" => {
                assert_eq!(state, "degraded", "{e}");
                assert!(message.contains("1 of its requests fail: the connection was closed"), "{message}");
            }
            id => assert_eq!((state, message), ("online", "answers"), "{id}"),
        }
    }
    for l in status["links"].as_array().unwrap() {
        assert_eq!(l["state"], "online", "{l}");
    }
    // Only the point that was not answered is affected.
    let odd = gateway.run("equipment read odd --last --json").json();
    assert_eq!(
        (&odd["points"]["level"]["quality"], &odd["points"]["other"]["quality"]),
        (&"good".into(), &"bad".into())
    );
    // Nothing bad is on record of the others.
    for (id, _) in all {
        let history = gateway.run(&format!("equipment history {id} level --since 1m --json")).json();
        let samples = history["samples"].as_array().unwrap();
        assert!(samples.len() >= 4 && samples.iter().all(|s| s[1].is_number()), "{id}: {history}");
    }
}

#[test]
fn a_link_that_is_away_is_one_ticket_and_what_is_behind_it_a_consequence() {
    let port = free_port();
    let pieces: String = (1..=5).map(|u| equipment(&format!("behind-{u}"), "fast", "down", u)).collect();
    let well = MannerServer::start(|_| Manner::Answer);
    let depends = "depends_on = [\"down\"]\n";
    let site = [
        link("down", port),
        link("well", well.port),
        pieces,
        equipment("beside", "fast", "well", 1) + depends,
    ];
    let mut gateway = Gateway::new().profile("fast", &profile("1s")).site(&site.concat());
    gateway.start();
    let tickets = gateway.until("ticket list --json", |t| t.as_array().is_some_and(|t| !t.is_empty()));
    assert_eq!((&tickets[0]["equipment"], &tickets[0]["fault"]), (&"down".into(), &"link-away".into()));
    // The fault of `beside` is suppressed while the link that it depends on is down.
    well.set(1, 0, 300);
    let mut expected: Vec<String> =
        (1..=5).map(|unit| format!("consequence: communication-lost of behind-{unit}")).collect();
    expected.push("consequence: high of beside".to_owned());
    eventually("what is behind the link is a consequence", || {
        let shown = gateway.run("ticket show 1").success().stdout();
        if expected.iter().all(|e| shown.contains(e)) { Ok(()) } else { Err(shown) }
    });
    gateway.run("ticket show 1").success().says("cannot connect to");
    let tickets = gateway.run("ticket list --json").json();
    assert_eq!(tickets.as_array().unwrap().len(), 1, "{tickets:#}");
    let alarms = gateway.run("alarm list --json").json();
    assert_eq!(alarm_of(&alarms, "down", "link-away").unwrap()["state"], "unacknowledged", "{alarms:#}");
    let held = alarm_of(&alarms, "behind-3", "communication-lost").unwrap();
    assert_eq!(held["state"], "suppressed-by-design", "{alarms:#}");
    assert!(held["note"].as_str().unwrap().contains("link down"), "{held}");
    // The state is the same after a restart.
    gateway.stop();
    gateway.start();
    gateway.until("alarm list --json", |alarms| alarm_of(alarms, "down", "link-away").is_some());
    assert_eq!(gateway.run("ticket list --json").json().as_array().unwrap().len(), 1);
}

#[test]
fn a_header_that_announces_too_much_is_told_as_such() {
    let server = MannerServer::start(|_| Manner::Announce(6));
    let site = [link("plc", server.port), equipment("odd", "fast", "plc", 1)];
    let mut gateway = Gateway::new().profile("fast", &profile("1s")).site(&site.concat());
    gateway.start();
    gateway.until("status --json", |s| {
        s["equipment"][0]["message"]
            .as_str()
            .is_some_and(|m| m.contains("the response is incomplete: 11 of 17 bytes arrived"))
    });
}

#[test]
fn an_only_device_that_does_not_name_itself_is_read_where_its_profile_accepts_that() {
    let other = |unit, transaction| MannerServer::start(move |_| Manner::AnswerAs { unit, transaction });
    let (unit, transaction) = (other(Some(0), None), other(None, Some(0)));
    let accepting = |what: &str| format!("[modbus]\naccept = [\"{what}\"]\n{}", profile("500ms"));
    let site = [
        link("a", unit.port),
        link("b", transaction.port),
        equipment("unit-0", "zero", "a", 1),
        equipment("transaction-0", "any", "b", 1),
    ];
    let mut gateway = Gateway::new()
        .profile("zero", &accepting("unit 0"))
        .profile("any", &accepting("any transaction"))
        .site(&site.concat());
    gateway.start();
    for id in ["unit-0", "transaction-0"] {
        gateway.until(&format!("equipment read {id} --json"), |r| r["points"]["level"]["quality"] == "good");
    }
    assert!(gateway.log().contains("a late answer can be taken for the next one"), "{}", gateway.log());
    // It is for one device alone.
    gateway.stop();
    let two = [site.concat(), equipment("second", "any", "b", 2)];
    let gateway = gateway.site(&two.concat());
    gateway.run("status").exits(2).says("can only be used on a link with one device");
}
