//! Tests the command line: exit codes, refusals, JSON fields, CSV and help.

use crate::support::{Gateway, PymodbusServer, eventually, free_port};

const PROFILE: &str = r#"
[points]
x = { register = "holding:0", type = "u16", every = "200ms", unit = "bar" }
mode = { register = "holding:1", type = "enum16", every = "200ms", values = { 0 = "off", 1 = "auto" } }
status = { register = "holding:2", type = "bits16", every = "200ms", bits = { 0 = "running", 3 = "tripped" } }
[faults.pressure-high]
severity = "major"
when = "x > 100"
means = "The pressure is too high."
causes = ["Valve stuck"]
safety = ["loto:pneumatic"]
parts = [{ id = "V-12", name = "Relief valve" }]
steps = [
  { id = "valve", do = "Does the valve move?", yes = "low", no = "cause:Valve stuck" },
  { id = "low", check = "x < 90 for 400ms", yes = "done", no = "cause:Regulator" },
]
"#;

fn gateway() -> (Gateway, PymodbusServer) {
    let port = free_port();
    let mut server = PymodbusServer::tcp(port, &[1]);
    for (register, value) in [(0, 50), (1, 1), (2, 9)] {
        server.set(1, 3, register, value);
    }
    let site = format!(
        "[[link]]\nname = \"plc\"\nkind = \"modbus-tcp\"\naddress = \"127.0.0.1:{port}\"\n[[equipment]]\nid = \"pump-1\"\nname = \"Pump 1\"\nprofile = \"pump\"\nlink = \"plc\"\nlocation = \"Hall 1\"\n"
    );
    let mut gateway = Gateway::new().profile("pump", PROFILE).site(&site);
    gateway.start();
    gateway.until("status --json", |s| s["equipment"][0]["state"] == "online");
    (gateway, server)
}

#[test]
fn a_ticket_from_fault_to_close() {
    let (gateway, mut server) = gateway();
    server.set(1, 3, 0, 120);
    let list = gateway.until("ticket list --json", |t| t.as_array().is_some_and(|t| !t.is_empty()));
    let fields: Vec<&String> = list[0].as_object().unwrap().keys().collect();
    let mut expected = [
        "id",
        "equipment",
        "fault",
        "origin",
        "severity",
        "severity_set",
        "state",
        "condition",
        "opened_at",
        "occurrences",
        "assignee",
        "due_at",
        "summary",
    ];
    expected.sort_unstable();
    assert_eq!(fields, expected);
    gateway
        .run("ticket show pump-1")
        .success()
        .says("The pressure is too high.")
        .says("loto:pneumatic")
        .says("V-12 Relief valve x1")
        .says("Valve stuck")
        .says("Next: andon ack 1, or andon start 1");
    gateway.run("ticket assign 1 max").success().says("assigned to max");
    gateway.run("ticket list --assignee max --json").json()[0]["id"].as_u64().unwrap();
    gateway.run("start pump-1").success().says("next  valve");
    gateway.run("ticket step 1 low").exits(4).says("ticket/step-out-of-order");
    gateway.run("ticket step 1 valve").exits(4).says("ticket/step-needs-answer");
    gateway.run("ticket step 1 valve perhaps").exits(2).says("answer yes, no or skip");
    gateway
        .run("ticket step 1 valve yes --note 'moves freely'")
        .success()
        .says("next: andon ticket step 1 low");
    gateway.run("ticket hold 1 waiting for a valve").success().says("on hold: waiting for a valve");
    gateway.run("ticket step 1 low").exits(4).says("ticket/wrong-state");
    gateway.run("start 1").success();
    gateway.run("fix 1 --cause c --action a").exits(4).says("ticket/fix-while-active");
    server.set(1, 3, 0, 50);
    gateway.until("ticket list --json", |t| t[0]["condition"] == "returned");
    gateway.run("ticket step 1 low").success().says("read by the gateway");
    gateway.run("fix 1 --cause 'valve stuck' --action 'freed valve' --part V-12:2 --minutes 20").success();
    gateway.run("close 1 --note ok").success().says("closed");
    gateway.run("close 1").exits(4).says("ticket/wrong-state").says("andon ticket reopen 1 REASON");
    let past = gateway.run("history --equipment pump-1 --json").json();
    assert_eq!(
        (&past[0]["cause"], &past[0]["minutes"], &past[0]["by"]),
        (&"valve stuck".into(), &20.into(), &"eva".into())
    );
    let csv = gateway.run("history --csv").success().stdout();
    assert!(csv.starts_with("id,equipment,fault,severity,state,opened_at,"), "{csv}");
    assert!(csv.contains(",valve stuck,freed valve,20,eva,"), "{csv}");
    gateway.run("history --text freed --json").json()[0]["id"].as_u64().unwrap();
    assert_eq!(gateway.run("history --text nothing-like-it --json").json(), serde_json::json!([]));
    assert_eq!(gateway.run("history --since 1h --json").json().as_array().unwrap().len(), 1);
    assert_eq!(gateway.run("history --until 1h --json").json().as_array().unwrap().len(), 0);

    // The fault comes back within the watch time: the fix was not effective, and the ticket shows it.
    server.set(1, 3, 0, 130);
    gateway.until("ticket list --json", |t| t[0]["state"] == "reopened");
    let past = gateway.run("history --json").json();
    assert_eq!(past[0]["effective"], false);
    gateway.run("ticket cancel 1 nuisance --note 'sensor test'").success().says("cancelled as a nuisance");
    server.set(1, 3, 0, 50);
    gateway.until("alarm list --json", |a| a.as_array().is_some_and(Vec::is_empty));
    server.set(1, 3, 0, 140);
    let second = gateway.until("ticket list --json", |t| t.as_array().is_some_and(|t| !t.is_empty()));
    assert_eq!(second[0]["id"], 2);
    gateway.run("ticket show 2").success().says("freed valve (1, 1 not effective)");
    gateway.run("ticket cancel 2 duplicate --of 9").exits(4).says("ticket/bad-duplicate");
    gateway.run("ticket cancel 2 duplicate --of 1").success();
}

#[test]
fn a_person_reports_a_fault_that_the_gateway_cannot_see() {
    let (gateway, _server) = gateway();
    gateway.run("report-fault pump-1 squeals at start").success().says("ticket 1 (reported on pump-1)");
    let row = gateway.run("ticket list --json").json()[0].clone();
    assert_eq!(row["origin"], serde_json::json!({ "kind": "report", "name": null, "of": null }));
    assert_eq!((&row["fault"], &row["condition"]), (&serde_json::Value::Null, &serde_json::Value::Null));
    assert_eq!((&row["severity"], &row["severity_set"]), (&"minor".into(), &false.into()));
    assert_eq!(row["summary"], "squeals at start");
    gateway.run("ticket show 1").success().says("nobody has set its severity");
    gateway.run("report-fault pump-1 smokes --also 1").success().says("reported again: smokes");
    gateway.run("report-fault fan-2 smokes --also 1").exits(4).says("ticket/other-equipment");
    gateway.run("report-fault fan-2 smokes").exits(3).says("site/no-such-equipment");
    gateway.run("ticket severity 1 dreadful").exits(2).says("critical, major, minor or advisory");
    let row = gateway.run("ticket severity 1 critical --json").json();
    assert_eq!((&row["severity"], &row["severity_set"]), (&"critical".into(), &true.into()));
    gateway.run("ticket list").success().says("reported");
    gateway.run("start 1").success();
    gateway.run("fix 1 --cause belt --action tightened").success();
    // No condition has to clear.
    gateway.run("close 1").success().says("closed");
    let past = gateway.run("history --json").json();
    assert_eq!((&past[0]["origin"]["kind"], &past[0]["cause"]), (&"report".into(), &"belt".into()));
    gateway.run("ticket list --state closed --json").json()[0]["id"].as_u64().unwrap();
}

#[test]
fn equipment_and_why() {
    let (gateway, mut server) = gateway();
    let readings = gateway.run("equipment read pump-1 --json").json();
    assert_eq!(readings["equipment"], "pump-1");
    let x = &readings["points"]["x"];
    assert_eq!((&x["value"], &x["unit"], &x["quality"]), (&50.into(), &"bar".into(), &"good".into()));
    assert!(x["at"].as_str().unwrap().ends_with('Z'));
    gateway.run("equipment read pump-1").success().says("auto").says("running, tripped");
    gateway.run("equipment show pump-1").success().says("Pump 1").says("Hall 1");
    gateway.run("why pump-1 x").success().says("x is 50 bar, quality good").says("holding:0 holds 0032 = 50");
    gateway.run("why pump-1 pressure-high").success().says("raised when x > 100: false").says("x is 50 bar");
    gateway
        .run("why pump-1 pressure-hihg")
        .exits(3)
        .says("site/no-such-point-or-fault")
        .says("andon why pump-1 pressure-high");
    gateway.run("why pump-1 communication-lost").success().says("lost after 10s");
    gateway.run("link plan plc").success().says("x mode status");
    gateway.run("link plan plx").exits(3);
    server.set(1, 3, 0, 110);
    gateway.until("alarm list --json", |a| a[0]["state"] == "unacknowledged");
    gateway.run("ack pump-1").success();
    gateway.until("alarm list --json", |a| a[0]["state"] == "acknowledged");
}

#[test]
fn what_is_wrong_is_told_with_its_exit_code() {
    let gateway = Gateway::new();
    gateway.run("status").exits(2).says("andon.toml").says("andon demo");
    let gateway = Gateway::new().site("[[link]]\nname = \"a\"\nkind = \"modbus-tpc\"\n[[equipment]]\nid = \"E1\"\nprofile = \"x\"\nlink = \"b\"\n");
    gateway
        .run("status")
        .exits(2)
        .says("andon.toml:5:8")
        .says("unknown kind \"modbus-tpc\"")
        .says("did you mean modbus-tcp?");
    let run = gateway.run("status --json");
    run.exits(2);
    let json: serde_json::Value = serde_json::from_str(&run.stderr()).unwrap();
    assert_eq!(json["error"]["outcome"], "usage");
    let gateway = Gateway::new().site("");
    gateway.run("ticket show 1").exits(3).says("ticket/no-such-ticket");
    gateway.run("ticket show nobody").exits(3).says("site/no-such-equipment");
    gateway.run("ticket list --state opn").exits(2).says("there is no state opn");
    gateway.run("history --since yesterday").exits(2).says("is not a time");
    gateway.run("history --since 1h --until 2h").exits(2).says("is not before its end");
    gateway.run("report alarms --until yesterday").exits(2).says("is not a time");
    gateway.run("profile check nothing").exits(3).says("there is no profile nothing");
    gateway.run("frobnicate").exits(2);
    gateway.run("--help").success().says("Exit codes: 0 done");
    gateway.run("completions bash").success().says("complete -F _andon");
}

#[test]
fn the_plan_of_a_line_says_what_is_asked_on_it() {
    let site = "[[link]]\nname = \"cnc\"\nkind = \"serial\"\nport = \"/dev/ttyUSB9\"\n\
        [[link]]\nname = \"hall\"\nkind = \"mqtt\"\nurl = \"mqtt://127.0.0.1:1\"\n\
        [[equipment]]\nid = \"mill\"\nprofile = \"grbl-1-1\"\nlink = \"cnc\"\n";
    let gateway = Gateway::new().site(site);
    let plan = gateway.run("link plan cnc").success().stdout();
    assert!(plan.contains("cnc (serial): 1 requests, 1.") && !plan.contains("UNIT"), "{plan}");
    let row = plan.lines().find(|l| l.starts_with("mill")).unwrap();
    assert!(row.contains("report") && row.contains("500ms") && row.contains("assumed"), "{plan}");
    let json = gateway.run("link plan cnc --json").json();
    assert_eq!(json["requests"][0]["request"], "report");
    gateway.run("link plan hall").success().says("andon asks nothing on this link");
}

#[test]
fn the_log_has_the_levels_it_is_given() {
    let site = "[[link]]\nname = \"away\"\nkind = \"modbus-tcp\"\naddress = \"127.0.0.1:1\"\n";
    let mut gateway = Gateway::new().site(site);
    gateway.run("daemon --log inof").exits(2).says("\"inof\" is not a level");
    gateway.start();
    eventually("the link is told", || {
        let log = gateway.log();
        if log.contains(" info link away is offline: ") { Ok(()) } else { Err(log) }
    });
    assert!(!gateway.log().contains(" debug "), "{}", gateway.log());
    gateway.stop();
    gateway.start_with(&["env", "ANDON_LOG=warning,andon::daemon=info,andon::link=debug"]);
    eventually("more is told of the link", || {
        let log = gateway.log();
        if log.contains(" debug not connected: ") { Ok(()) } else { Err(log) }
    });
    gateway.stop();
    assert!(gateway.log().lines().last().unwrap().ends_with(" info stopped"));
    // A command of its own says nothing.
    assert_eq!(gateway.run("status").stderr(), "");
}

#[test]
fn profiles() {
    let gateway = Gateway::new();
    gateway.run("profile new my-drive").success().says("andon profile check");
    gateway.run("profile new my-drive").exits(4).says("exists already");
    gateway.run("profile check device-profiles/my-drive.toml").success().says("2 of 2 cases pass");
    gateway.run("profile check eastron-sdm630 powtran-pi500 pixsys-atr144").success();
    gateway.run("profile list").success().says("my-drive").says("powtran-pi500");
    gateway.run("profile show powtran-pi500").success().says("overvoltage-decelerating").says("0x06");
    let wrong = std::fs::read_to_string(gateway.path("device-profiles/my-drive.toml")).unwrap();
    let gateway = gateway
        .file(
            "bad.toml",
            &wrong.replace("severity = \"major\"", "severty = \"major\"").replace("speed > 51", "sped > 51"),
        )
        .file("fails.toml", &wrong.replace("speed = 45.0", "speed = 46.0"));
    gateway
        .run("profile check bad.toml")
        .exits(2)
        .says("unknown key `severty`")
        .says("did you mean severity?")
        .says("there is no point sped")
        .says("bad.toml:22:9");
    gateway.run("profile check fails.toml").exits(1).says("speed is 45, expected 46");
    gateway.run("decode 42F6 E979").success().says("123.456");
    gateway.run("decode 42F6X").exits(2).says("is not a register");
}

#[test]
fn an_alarm_is_put_aside_and_equipment_goes_out_of_service() {
    let (gateway, mut server) = gateway();
    gateway.run("alarm shelve pump-1 pressure-high --for 8d --reason r").exits(4).says("alarm/bad-shelf");
    gateway.run("alarm unshelve pump-1 pressure-high --reason r").exits(4).says("alarm/not-shelved");
    gateway
        .run("alarm shelve pump-1 pressure-hihg --for 1h --reason r")
        .exits(3)
        .says("has no fault pressure-hihg");
    gateway
        .run("alarm shelve pump-1 pressure-high --for 4h --reason 'valve is on order'")
        .success()
        .says("pressure-high of pump-1 is shelved until");
    gateway.run("alarm list").success().says("shelved, condition now false: pump-1 pressure-high");
    server.set(1, 3, 0, 120);
    gateway.until("alarm list --json", |a| a[0]["state"] == "shelved");
    gateway.run("alarm list").success().says("by").says("valve is on order");
    // Instants in sentences are the gateway's, not UTC's.
    let list = gateway.run("alarm list").stdout();
    assert!(list.contains("shelved until ") && !list.contains("Z by "), "{list}");
    assert_eq!(gateway.run("ticket list --json").json().as_array().unwrap().len(), 0);
    gateway.run("alarm unshelve pump-1 pressure-high --reason 'it came early'").success();
    gateway.until("ticket list --json", |t| t.as_array().is_some_and(|t| t.len() == 1));
    server.set(1, 3, 0, 50);
    gateway.until("alarm list --json", |a| a.as_array().is_some_and(Vec::is_empty));

    gateway.run("equipment return pump-1 --reason r").exits(4).says("equipment/wrong-service");
    gateway.run("equipment out-of-service pump-1 --reason inspection").success().says("suppressed");
    gateway.run("equipment list").success().says("out-of-service");
    gateway.run("alarm list").success().says("out of service: pump-1");
    server.set(1, 3, 0, 120);
    gateway.until("alarm list --json", |a| a[0]["state"] == "out-of-service");
    gateway.run("equipment return pump-1 --reason inspected").success();
    gateway.until("alarm list --json", |a| a[0]["state"] == "unacknowledged");
    gateway.run("equipment relearn pump-1 pressure-high --reason r").exits(3).says("is not a baseline");

    let report = gateway.run("report alarms --since 1h --json").json();
    assert_eq!(report["alarms"], 2);
    assert_eq!(report["top"][0]["fault"], "pressure-high");
    gateway.run("report alarms").success().says("most in 10 minutes").says("fleeting alarms").says("NO");
    gateway.run("report alarms --since 2030-01-01").exits(2).says("is not before its end");
}
