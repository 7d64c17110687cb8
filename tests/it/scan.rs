//! What answers on a line, found without a daemon and beside one.

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
    let found = gateway.run("scan bus --units 1-12 --timeout 100 --json").json();
    let rows: Vec<(u64, &str)> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|f| (f["unit"].as_u64().unwrap(), f["profile"].as_str().unwrap_or("none")))
        .collect();
    assert_eq!(rows, [(7, "powtran-pi500"), (9, "eastron-sdm630")]);
    gateway
        .run("scan bus --units 7 --timeout 100")
        .success()
        .says("[[equipment]]\nid = \"bus-7\"\nprofile = \"powtran-pi500\"");
    gateway.run("scan bus --units 20-22 --timeout 50").exits(1).says("nothing answers");
    let rates = gateway.run("scan bus --units 9 --timeout 100 --baud 19200 --json").json();
    assert_eq!(rates[0]["baud"], 19_200);
    // Beside a daemon that polls one of them.
    gateway = gateway.site(&format!(
        "[[link]]\nname = \"bus\"\nkind = \"modbus-rtu\"\nport = \"{}\"\nbaud = 19200\n\
         [[equipment]]\nid = \"drive\"\nprofile = \"powtran-pi500\"\nlink = \"bus\"\nunit = 7\n",
        port.display()
    ));
    gateway.start();
    gateway.until("status --json", |s| s["equipment"][0]["state"] == "online");
    let found = gateway.run("scan bus --units 6-9 --timeout 100 --json").json();
    assert_eq!(found.as_array().unwrap().len(), 2);
    gateway.run("scan bus --units 7 --baud 9600").exits(4).says("stop it to try others");
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
    // Its link does not open: the rule is told.
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
