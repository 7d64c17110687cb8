//! Tests of the parts of a profile that describe values, with data from real devices: `absent`, `valid`, quoted
//! numbers, lists, signs.

use super::{Profile, load, parse_payload, run_cases};
use crate::source::SourceText;
use crate::words::{ProfileName, Value};

const DEVICE: &str = "[device]\nvendor = 'v'\nmodel = 'm'\nkind = 'k'\n";

#[track_caller]
fn loaded(text: &str) -> Profile {
    let (profile, found) = load(&ProfileName::parse("p").unwrap(), &SourceText::new("p.toml", text));
    profile.unwrap_or_else(|| panic!("{:#?}", found.lines()))
}

#[track_caller]
fn proves(text: &str) {
    for result in run_cases(&loaded(text)) {
        assert_eq!(result.problems, Vec::<String>::new(), "{}", result.name);
    }
}

/// Returns the differences that the cases of a profile find.
#[track_caller]
fn differs(text: &str) -> Vec<String> {
    run_cases(&loaded(text)).into_iter().flat_map(|r| r.problems).collect()
}

#[track_caller]
fn refused(points: &str, part: &str) {
    let text = format!("{DEVICE}[points]\n{points}\n");
    let found = load(&ProfileName::parse("p").unwrap(), &SourceText::new("p.toml", &text)).1;
    let lines = found.lines().join("\n");
    assert!(lines.contains(part), "{lines}");
}

macro_rules! field {
    ($name:literal) => {
        include_str!(concat!("../../tests/samples/field/profiles/", $name, ".toml"))
    };
}

#[test]
fn absent_is_honoured_on_every_kind_of_point() {
    let told = differs(field!("absent-on-mqtt"));
    assert_eq!(told, ["lq is bad: the device reports no value here (255 is listed under absent)"]);
    let told = differs(field!("overload-mark"));
    assert!(told.iter().any(|t| t.contains("65535 is listed under absent")), "{told:?}");
    // The value 9.9e37 itself: listed under `absent`, or outside `valid`.
    for with in
        ["absent = [9.9e37]", "absent = [9.9e37, 9.91e37, -9.9e37]", "valid = { min = -1000, max = 1000 }"]
    {
        let text = field!("overload-mark").replace("type = \"f64\"", &format!("type = \"f64\", {with}"));
        let told = differs(&text);
        assert!(!told.iter().any(|t| t.contains("fault high")), "{with}: {told:?}");
    }
    let rest =
        "[faults.f]\nseverity = 'major'\nwhen = 'p < 0 or p > 50'\n[[case]]\nname = 'c'\nfaults = []\n";
    for (point, case) in [
        ("metric = 'T', type = 'f64', absent = [-999.25]", "metrics = { T = -999.25 }"),
        ("topic = 't', type = 'i16', absent = [0x8000]", "messages = { t = '-32768' }"),
        ("topic = 't', pointer = '/v', type = 'f64', absent = [999]", "messages = { t = '{\"v\":999.0}' }"),
        (
            "register = 'holding:0', type = 'f32', valid = { max = 50 }",
            "registers = { 'holding:0' = [0x42C8, 0] }",
        ),
        ("register = 'holding:0', type = 'i16', absent = [-1]", "registers = { 'holding:0' = [0xFFFF] }"),
    ] {
        proves(&format!("{DEVICE}[points]\np = {{ {point} }}\n{rest}{case}\n"));
    }
}

#[test]
fn what_marks_and_bounds_may_be_is_told() {
    refused("a = { register = 'holding:0', type = 'u16', absent = ['n/a'] }", "neither a number nor");
    refused("a = { register = 'holding:0', type = 'u16', valid = {} }", "valid needs min or max or both");
    refused(
        "a = { register = 'holding:0', type = 'u16', valid = { min = 2, max = 1 } }",
        "min is greater than max",
    );
    refused(
        "a = { topic = 't', type = 'string', valid = { min = 1 } }",
        "valid can only be used with a number",
    );
    refused(
        "a = { register = 'coil:0', type = 'bool', true_words = ['open'] }",
        "only be used if the value arrives as text",
    );
    refused(
        "a = { topic = 't', type = 'f64', true_words = ['open'] }",
        "true_words can only be used with a bool",
    );
    refused(
        "a = { topic = 't', type = 'bool', true_words = ['x'], false_words = ['X'] }",
        "in true_words and in",
    );
}

#[test]
fn quoted_numbers_are_read() {
    let profile = loaded(field!("quoted-numbers"));
    let payload = br#"{"outdoorTemp":"19.6","sysPress":"0.9","heatPmp":"on","code":"203"}"#;
    let of = |name: &str, pointer: &str| {
        parse_payload(profile.point(name).unwrap().1, payload, Some(pointer)).unwrap().unwrap()
    };
    assert_eq!(of("outdoor", "/outdoorTemp"), Value::Real(19.6));
    assert_eq!(of("press", "/sysPress"), Value::Real(0.9));
    assert_eq!(of("pump", "/heatPmp"), Value::Bool(true));
    assert_eq!(of("code", "/code"), Value::Integer(203));
    proves(&format!(
        "{}\n[[case]]\nname = 'cold'\nmessages = {{ '{{topic}}/data' = '{{\"outdoorTemp\":\"-3\",\"sysPress\":\"0.9\",\"heatPmp\":\"off\"}}' }}\n\
        expect = {{ outdoor = -3.0, press = 0.9, pump = false }}\nfaults = ['cold']\n",
        field!("quoted-numbers")
    ));
}

/// The payload of Telegraf's issue 4943 and of thingsboard-gateway's issue 338: a list of the values that changed.
#[test]
fn values_are_chosen_from_a_list() {
    let text = format!(
        "{DEVICE}[points]\n\
        pressure = {{ topic = '{{topic}}', pointer = '/values[id=P.Press]/v', where = {{ '/q' = true }}, type = 'f64', unit = 'bar' }}\n\
        temp = {{ topic = '{{topic}}', pointer = '/values[id=P.Temp]/v', where = {{ '/q' = true }}, type = 'f64', unit = 'degC' }}\n\
        [faults.low-pressure]\nseverity = 'critical'\nwhen = 'pressure < 3'\n"
    );
    proves(&format!(
        "{text}[[case]]\nname = 'both'\n\
        messages = {{ '{{topic}}' = '{{\"values\":[{{\"id\":\"P.Press\",\"v\":6.1,\"q\":true}},{{\"id\":\"P.Temp\",\"v\":2.5,\"q\":true}}]}}' }}\n\
        expect = {{ pressure = 6.1, temp = 2.5 }}\nfaults = []\n\
        [[case]]\nname = 'only the temperature'\n\
        messages = {{ '{{topic}}' = '{{\"values\":[{{\"id\":\"P.Temp\",\"v\":2.5,\"q\":true}}]}}' }}\nexpect = {{ temp = 2.5 }}\nfaults = []\n\
        [[case]]\nname = 'marked bad'\n\
        messages = {{ '{{topic}}' = '{{\"values\":[{{\"id\":\"P.Press\",\"v\":0,\"q\":false}}]}}' }}\nfaults = []\n"
    ));
    let profile = loaded(&text);
    let pressure = profile.point("pressure").unwrap().1;
    let only_temp = br#"{"values":[{"id":"P.Temp","v":2.5,"q":true}]}"#;
    assert_eq!(
        parse_payload(pressure, only_temp, Some("x")),
        None,
        "a payload that does not mention the point gives no reading"
    );
    proves(&format!(
        "{DEVICE}[points]\nt = {{ topic = 't', senml = 'urn:dev:1:temp', type = 'f64' }}\n[[case]]\nname = 'c'\n\
        messages = {{ t = '[{{\"bn\":\"urn:dev:1:\",\"n\":\"temp\",\"v\":21.5}},{{\"n\":\"hum\",\"v\":40}}]' }}\nexpect = {{ t = 21.5 }}\n"
    ));
    refused("a = { topic = 't', type = 'f64', where = { '/q' = true } }", "where needs a JSON payload");
    refused("a = { topic = 't', pointer = '/v', type = 'f64', where = { q = true } }", "must begin with /");
    refused("a = { topic = 't', pointer = '/v', senml = 'x', type = 'f64' }", "cannot be used together");
    refused(
        "a = { register = 'coil:1', type = 'bool', where = { '/q' = true } }",
        "can only be used with a topic",
    );
}

#[test]
fn signs_characters_and_type_words() {
    proves(field!("signed-bytes"));
    let one = format!(
        "{DEVICE}[points]\nfw = {{ register = 'holding:250', type = 'string', length = 8, characters_per_register = 1 }}\n\
        [[case]]\nname = 'c'\nregisters = {{ 'holding:250' = [0x31, 0x2E, 0x32, 0x30, 0x2E, 0x33, 0, 0] }}\nexpect = {{ fw = '1.20.3' }}\n"
    );
    proves(&one);
    let told = differs(&one.replace("length = 8, characters_per_register = 1", "length = 16"));
    assert!(told[0].starts_with("fw is bad: characters follow the zero byte"), "{told:?}");
    refused("a = { register = 'holding:0', type = 'u16', characters_per_register = 1 }", "with a string");
    refused(
        "a = { register = 'holding:0', type = 'string', length = 200, characters_per_register = 1 }",
        "at most 125",
    );
    let words = loaded(field!("common-type-words"));
    let kinds: Vec<&str> = words.points.iter().map(|p| p.kind.word()).collect();
    assert_eq!(kinds, ["u16", "i16", "u32", "i32", "f32", "f32", "f64", "bool", "i16", "u16", "u8"]);
    for (word, meant) in [("int", "i16"), ("long", "i32"), ("unsigned", "u16"), ("dint", "i32")] {
        let text = format!("a = {{ register = 'holding:0', type = '{word}' }}");
        refused(&text, &format!("did you mean \"{meant}\"?"));
    }
    refused("a = { register = 'holding:0', type = 'colour' }", "unknown type \"colour\"");
}

#[test]
fn what_is_not_confirmed_dangerous_and_how_the_line_is_set() {
    let text = "[device]\nvendor = 'v'\nmodel = 'm'\nkind = 'k'\nunconfirmed = 'one source only'\n\
        [modbus]\nline = '9600 8N1'\nconnect_pause = '1s'\nmin_interval = '50ms'\n\
        [points]\np = { register = 'holding:0', type = 'u16', unconfirmed = 'read off a picture' }\n\
        [faults.f]\nseverity = 'critical'\nwhen = 'p > 1'\ndanger = 'The bus stays charged.'\nwait = '10min'\nsafety = ['loto:electrical']\n\
        [codes.c]\npoint = 'p'\nnone = [0]\n7 = { name = 'g', danger = 'Hot.', unconfirmed = 'not seen' }\n";
    let p = loaded(text);
    assert_eq!(p.device.unconfirmed.as_deref(), Some("one source only"));
    assert_eq!(p.point("p").unwrap().1.unconfirmed.as_deref(), Some("read off a picture"));
    assert_eq!(p.modbus.line.map(|l| l.to_string()).as_deref(), Some("9600 8N1"));
    assert_eq!(p.modbus.connect_pause.as_secs(), 1);
    let labels: Vec<_> = p.fault("f").unwrap().guidance.hazards();
    assert_eq!(
        labels,
        [
            ("DANGER", "The bus stays charged.".to_owned()),
            ("PROTECTION", "loto:electrical".to_owned()),
            ("WAIT", "10m".to_owned())
        ]
    );
    let code = &p.fault("g").unwrap().guidance;
    assert_eq!((code.hazards().len(), code.unconfirmed.as_deref()), (1, Some("not seen")));
    let wrong = text.replace("9600 8N1", "9600-8-N-1").replace("10min", "10 years");
    let lines =
        load(&ProfileName::parse("p").unwrap(), &SourceText::new("p.toml", &wrong)).1.lines().join("\n");
    assert!(
        lines.contains("\"9600-8-N-1\" is not a line setting: write the baud rate")
            && lines.contains("faults.f.wait must be a duration"),
        "{lines}"
    );
}
