//! Tests `andon scan`, without a daemon and beside a running daemon.

use crate::support::manner::{Manner, MannerServer};
use crate::support::{Gateway, Mosquitto, PtyPair, PymodbusServer, Sim, SparkplugNode, free_port};

#[test]
fn units_on_a_serial_line_are_found_at_the_right_rate_with_their_profile() {
    let gateway = Gateway::new().file(
        "plant.toml",
        "[[line]]\nname = \"bus\"\nkind = \"modbus-rtu\"\npath = \"bus.pty\"\nbaud = 19200\n\
         [[device]]\nline = \"bus\"\nunit = 7\nprofile = \"powtran-pi500\"\n[device.points]\nfrequency_command = 91.0\noutput_frequency = 45.5\ndc_bus_voltage = 540.0\noutput_voltage = 380\noutput_current = 4.2\nrun_state = 'forward'\n\
         [[device]]\nline = \"bus\"\nunit = 9\nprofile = \"eastron-sdm630\"\n[device.points]\nl1_voltage = 230.5\nl2_voltage = 231.0\nl3_voltage = 229.0\nl1_current = 3.5\nl2_current = 3.1\nl1_power = 700.0\nl3_power = 650.0\nl1_power_factor = 0.93\nl2_power_factor = 0.91\npower = 2100.0\nreactive_power = 300.0\npower_factor = 0.94\nfrequency = 50.0\nenergy_import = 1234.5\nl1_voltage_thd = 2.1\n",
    );
    let _sim = Sim::start(&gateway);
    let port = gateway.path("bus.pty");
    let mut gateway = gateway.site(&format!(
        "[[link]]\nname = \"bus\"\nkind = \"modbus-rtu\"\nport = \"{}\"\nbaud = 19200\n",
        port.display()
    ));
    let found = gateway.run("scan bus --units 1-12 --timeout 250 --json").json();
    let rows: Vec<(u64, &str)> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|f| (f["unit"].as_u64().unwrap(), f["profile"].as_str().unwrap_or("none")))
        .collect();
    assert_eq!(rows, [(7, "powtran-pi500"), (9, "eastron-sdm630")]);
    gateway
        .run("scan bus --units 7 --timeout 250")
        .success()
        .says("[[equipment]]\nid = \"bus-7\"\nprofile = \"powtran-pi500\"");
    gateway.run("scan bus --units 20-22 --timeout 100").exits(1).says("No unit answers.");
    let rates = gateway.run("scan bus --units 9 --timeout 250 --baud 19200 --json").json();
    assert_eq!(rates[0]["baud"], 19_200);
    // Scan while a daemon polls one of the units.
    gateway = gateway.site(&format!(
        "[[link]]\nname = \"bus\"\nkind = \"modbus-rtu\"\nport = \"{}\"\nbaud = 19200\n\
         [[equipment]]\nid = \"drive\"\nprofile = \"powtran-pi500\"\nlink = \"bus\"\nunit = 7\n",
        port.display()
    ));
    gateway.start();
    gateway.until("status --json", |s| s["equipment"][0]["state"] == "online");
    let found = gateway.run("scan bus --units 6-9 --timeout 250 --json").json();
    assert_eq!(found.as_array().unwrap().len(), 2);
    gateway.run("scan bus --units 7 --baud 9600").exits(4).says("stop the daemon to try other rates");
    let status = gateway.run("status --json").json();
    assert_eq!(status["equipment"][0]["state"], "online");
    assert_eq!(status["equipment"][0]["errors"], serde_json::json!({}), "the polls go on undisturbed");
    gateway.run("scan nothing").exits(3);
    gateway.run("scan").success();
}

#[test]
fn a_foreign_server_is_found_and_identifies_itself() {
    let gateway = Gateway::new();
    let pair = PtyPair::new(&gateway.path(""));
    let _server = PymodbusServer::rtu(&pair.theirs, 19_200, &[3]);
    let gateway = gateway.site(&format!(
        "[[link]]\nname = \"bus\"\nkind = \"modbus-rtu\"\nport = \"{}\"\n",
        pair.ours.display()
    ));
    let found = gateway.run("scan bus --units 2-4 --json").json();
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!(
        (&found[0]["unit"], &found[0]["identification"]["vendor"]),
        (&3.into(), &"Counterpart".into())
    );
    // The link cannot be opened, and the command reports the rule.
    let gateway = gateway.site(&format!(
        "[[link]]\nname = \"gone\"\nkind = \"modbus-tcp\"\naddress = \"127.0.0.1:{}\"\n",
        free_port()
    ));
    gateway.run("scan gone --units 1 --json").exits(4).says("link/away");
    gateway.run("scan gone --baud 9600").exits(2);
}

#[test]
fn topics_and_sparkplug_nodes_are_heard_on_a_broker() {
    let gateway = Gateway::new();
    let mosquitto = Mosquitto::new(&gateway.path(""), "allow_anonymous true");
    let port = mosquitto.port;
    let gateway = gateway
        .site(&format!("[[link]]\nname = \"shop\"\nkind = \"mqtt\"\nurl = \"mqtt://127.0.0.1:{port}\"\n"));
    mosquitto.publish("tele/plug7/SENSOR", r#"{"ENERGY":{"Power":9}}"#, &["-r"]);
    mosquitto.publish("tele/plug7/LWT", "Online", &["-r"]);
    for i in 0..60 {
        mosquitto.publish(&format!("many/{i}"), "x", &["-r"]);
    }
    let _node = SparkplugNode::new(port);
    let found = gateway.run("scan shop --seconds 3 --json").json();
    let topics: Vec<&str> =
        found["topics"].as_array().unwrap().iter().map(|t| t["topic"].as_str().unwrap()).collect();
    assert!(topics.contains(&"tele/plug7/SENSOR"), "{topics:?}");
    assert!(
        topics.iter().filter(|t| t.starts_with("many/")).count() == 60,
        "more than a broker sends unacknowledged"
    );
    let proposals = found["proposals"].as_array().unwrap();
    assert!(
        proposals.iter().any(|p| p["profile"] == "tasmota-energy" && p["topic"] == "plug7"),
        "{proposals:?}"
    );
    gateway.run("scan shop --seconds 1").says("topic = \"plug7\"");
}

fn gateway_at(port: u16) -> Gateway {
    Gateway::new()
        .site(&format!("[[link]]\nname = \"gw\"\nkind = \"modbus-tcp\"\naddress = \"127.0.0.1:{port}\"\n"))
}

fn units_found(gateway: &Gateway, args: &str) -> Vec<u64> {
    let found = gateway.run(args).json();
    found.as_array().unwrap().iter().map(|f| f["unit"].as_u64().unwrap()).collect()
}

#[test]
fn a_gateway_that_hangs_up_on_identification_is_opened_again_and_asked_without() {
    let server = MannerServer::start(|a| match (a.unit, a.function) {
        (_, 43) => Manner::Close,
        (1 | 3 | 5, 3 | 4) => Manner::Answer,
        (1 | 3 | 5, _) => Manner::Refuse(1),
        _ => Manner::Refuse(11),
    });
    for unit in [1, 3, 5] {
        server.set(unit, 0, u16::from(unit) * 1000);
    }
    let mut gateway = gateway_at(server.port);
    assert_eq!(units_found(&gateway, "scan gw --units 1-8 --json"), [1, 3, 5]);
    let shown = gateway.run("scan gw --units 1-8");
    shown
        .success()
        .says("2, 4, 6-8: the device rejects the request with exception 11")
        .says("closed")
        .says("function 43");
    // Scan while a daemon polls one of the units.
    gateway = gateway.profile("any", "[points]\nx = { register = \"holding:0\", type = \"u16\" }\n").site(
        &format!(
            "[[link]]\nname = \"gw\"\nkind = \"modbus-tcp\"\naddress = \"127.0.0.1:{}\"\n\
         [[equipment]]\nid = \"e\"\nprofile = \"any\"\nlink = \"gw\"\nunit = 3\n",
            server.port
        ),
    );
    gateway.start();
    gateway.until("status --json", |s| s["equipment"][0]["state"] == "online");
    assert_eq!(units_found(&gateway, "scan gw --units 1-8 --json"), [1, 3, 5]);
    let status = gateway.run("status --json").json();
    assert_eq!(
        (&status["links"][0]["state"], &status["equipment"][0]["state"]),
        (&"online".into(), &"online".into())
    );
}

#[test]
fn units_that_only_refuse_are_one_line_and_are_not_proposed() {
    let server = MannerServer::start(|a| if a.unit == 17 { Manner::Answer } else { Manner::Refuse(2) });
    let gateway = gateway_at(server.port);
    assert_eq!(units_found(&gateway, "scan gw --json"), [17]);
    let shown = gateway.run("scan gw");
    shown
        .success()
        .says("1-16, 18-247: the device rejects the request with exception 2 (illegal data address)");
    assert_eq!(shown.stdout().matches("[[equipment]]").count(), 1);
}

#[test]
fn a_device_that_does_not_look_at_the_unit_id_is_proposed_once() {
    let server = MannerServer::start(|_| Manner::Answer);
    let gateway = gateway_at(server.port);
    let shown = gateway.run("scan gw --units 1-20");
    shown.success().says("Units 1-20 give the same answer: probably one device that ignores the unit id");
    assert_eq!(shown.stdout().matches("[[equipment]]").count(), 1);
}

#[test]
fn what_came_is_told_where_no_unit_answers_rightly() {
    for (unit, transaction, came, word) in [
        (Some(0), None, "the response belongs to another request: unit 0", "unit 0"),
        (None, Some(0), "the response belongs to another request: transaction 0", "any transaction"),
    ] {
        let server = MannerServer::start(move |_| Manner::AnswerAs { unit, transaction });
        let gateway = gateway_at(server.port);
        let shown = gateway.run("scan gw --units 1-3 --timeout 50");
        shown.exits(1).says("1-3").says(came).says(&format!("accept = [\"{word}\"]"));
    }
}

#[test]
fn machines_of_one_layout_in_one_controller_share_a_profile() {
    let server = MannerServer::start(|_| Manner::Answer);
    for (register, value) in [(5, 11), (105, 22), (205, 33)] {
        server.set(1, register, value);
    }
    let machine = |n: u16| {
        format!("[[equipment]]\nid = \"m-{n}\"\nprofile = \"machine\"\nlink = \"gw\"\nbase = {}\n", n * 100)
    };
    let profile = "[points]\nspeed = { register = \"holding:5\", type = \"u16\" }\n";
    let mut gateway = Gateway::new().profile("machine", profile).site(&format!(
        "[[link]]\nname = \"gw\"\nkind = \"modbus-tcp\"\naddress = \"127.0.0.1:{}\"\n{}{}{}",
        server.port,
        machine(0),
        machine(1),
        machine(2)
    ));
    gateway.start();
    for (id, value) in [("m-0", 11), ("m-1", 22), ("m-2", 33)] {
        gateway.until(&format!("equipment read {id} --json"), |r| r["points"]["speed"]["value"] == value);
    }
    gateway.run("why m-2 speed").success().says("holding:205");
}
