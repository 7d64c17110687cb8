//! Tests of the imported parts, and of the remarks about the others.

use super::*;
use crate::profile::{Profile, load};
use crate::source::SourceText;
use crate::words::{ProfileName, Value};

mod lists;

fn loaded(draft: &Draft) -> Profile {
    let text = draft.render("p");
    let (profile, diagnostics) = load(&ProfileName::parse("p").unwrap(), &SourceText::new("p.toml", &text));
    profile.unwrap_or_else(|| panic!("{:#?}\n{text}", diagnostics.lines()))
}

#[track_caller]
fn imported(format: ImportFormat, text: &str, options: &ImportOptions) -> (Profile, Vec<String>) {
    let draft = import(format, &[("file".to_owned(), text.to_owned())], options).unwrap();
    (loaded(&draft), draft.remarks)
}

#[track_caller]
fn check(profile: &Profile, point: &str, words: &[u16], factor: Option<u16>, expected: Option<Value>) {
    let (_, p) = profile.point(point).unwrap_or_else(|| panic!("no {point}"));
    assert_eq!(crate::profile::decode(p, words, factor).ok(), expected, "{point}");
}

/// The form of the SunSpec inverter model and of its multiple MPPT extension, with few points.
const MODEL: &str = r#"{ "id": 160, "group": { "name": "mppt", "label": "Multiple MPPT", "type": "group",
 "points": [
  { "name": "ID", "type": "uint16", "size": 1, "value": 160 }, { "name": "L", "type": "uint16", "size": 1 },
  { "name": "DCA_SF", "type": "sunssf", "size": 1 },
  { "name": "Evt", "type": "bitfield32", "size": 2, "symbols": [ { "name": "GROUND_FAULT", "value": 0, "label": "Ground Fault" }, { "name": "INPUT_OVER_VOLTAGE", "value": 1 } ] },
  { "name": "N", "type": "count", "size": 1 }, { "name": "Pad", "type": "pad", "size": 1 } ],
 "groups": [ { "name": "module", "count": 0, "points": [
  { "name": "IDStr", "type": "string", "size": 8, "static": "S" },
  { "name": "DCA", "type": "uint16", "size": 1, "sf": "DCA_SF", "units": "A", "desc": "DC current" },
  { "name": "DCWH", "type": "acc32", "size": 2, "sf": -1, "units": "Wh" },
  { "name": "Tmp", "type": "int16", "size": 1, "units": "C" },
  { "name": "DCSt", "type": "enum16", "size": 1, "symbols": [ { "name": "OFF", "value": 1 }, { "name": "MPPT", "value": 4 } ] } ] } ] } }"#;

#[test]
fn sunspec_models_with_factors_groups_enums_and_bits() {
    let options = ImportOptions {
        start: Some(40_000),
        repeats: [("module".to_owned(), 2)].into(),
        ..ImportOptions::default()
    };
    let (p, remarks) = imported(ImportFormat::SunSpec, MODEL, &options);
    check(&p, "module_1_dca", &[123], Some(0xFFFF), Some(Value::Real(12.3)));
    check(&p, "module_2_dcwh", &[0, 1234], None, Some(Value::Real(123.4)));
    check(&p, "module_2_tmp", &[0x8000], None, None);
    check(&p, "module_1_dcst", &[4], None, Some(Value::Integer(4)));
    let register = |name: &str| p.point(name).unwrap().1.register().unwrap().number;
    // ID, L, the factor, the event, N and the pad take 7 registers; a module takes 13.
    assert_eq!(register("sf_40002"), 40_002);
    assert_eq!(register("evt"), 40_003);
    assert_eq!((register("module_1_dca"), register("module_2_dca")), (40_015, 40_028));
    assert_eq!(p.point("module_1_dcst").unwrap().1.value_name(4), Some("mppt"));
    assert_eq!(p.fault("evt-ground-fault").unwrap().guidance.means, "Ground Fault");
    assert!(
        remarks.iter().any(|r| r.contains("model 160 N: left out: type count is not supported")),
        "{remarks:?}"
    );
    let once = imported(ImportFormat::SunSpec, MODEL, &ImportOptions::default());
    assert!(once.1.iter().any(|r| r.contains("--repeat module=N")), "{:?}", once.1);
    assert!(once.0.point("module_2_dca").is_none());
}

/// The form of the example of device-modbus-go, with each special rule of EdgeX.
const EDGEX: &str = "name: Test
manufacturer: Cool
model: Net
labels: [HVAC]
deviceResources:
- name: SwitchA
  attributes: { primaryTable: \"COILS\", startingAddress: 14 }
  properties: { valueType: Bool, readWrite: RW }
- name: CommunicationFailure
  attributes: { primaryTable: \"HOLDING_REGISTERS\", startingAddress: 10.1 }
  properties: { valueType: Bool, readWrite: R }
- name: FirstBit
  attributes: { primaryTable: HOLDING_REGISTERS, startingAddress: \"10.1\" }
  properties: { valueType: Bool, readWrite: R }
- name: RoomTemperature
  attributes: { primaryTable: INPUT_REGISTERS, startingAddress: 3, rawType: Int16 }
  properties: { valueType: Float32, readWrite: R, scale: 0.1, offset: -5, units: degC }
- name: Masked
  attributes: { primaryTable: HOLDING_REGISTERS, startingAddress: 5 }
  properties: { valueType: Uint16, readWrite: RW, mask: 0x0F00, shift: 8, scale: \"2\", offset: 1, minimum: 0, maximum: 9 }
- name: Cut
  attributes: { primaryTable: HOLDING_REGISTERS, startingAddress: 6 }
  properties: { valueType: Int16, readWrite: R, scale: 0.1 }
- name: Setpoint
  attributes: { primaryTable: HOLDING_REGISTERS, startingAddress: 7, isWordSwap: true }
  properties: { valueType: Float32, readWrite: RW, minimum: 16, maximum: 30 }
- name: Power
  attributes: { primaryTable: HOLDING_REGISTERS, startingAddress: 9 }
  properties: { valueType: Uint16, readWrite: R, base: 10 }
- name: Label
  attributes: { primaryTable: HOLDING_REGISTERS, startingAddress: 20, stringRegisterSize: 4 }
  properties: { valueType: String, readWrite: R }
deviceCommands:
- name: Both
";

#[test]
fn edgex_profiles_with_their_habits() {
    let (p, remarks) = imported(ImportFormat::EdgeX, EDGEX, &ImportOptions::default());
    check(&p, "communication_failure", &[1 << 10], None, Some(Value::Bool(true)));
    check(&p, "first_bit", &[1 << 1], None, Some(Value::Bool(true)));
    check(&p, "room_temperature", &[0xFF9C], None, Some(Value::Real(-15.0)));
    check(&p, "masked", &[0xA3BC], None, Some(Value::Real(7.0)));
    check(&p, "setpoint", &[0x3333, 0x4366], None, Some(Value::Real(230.2)));
    check(&p, "label", &[0x4142, 0x4344, 0, 0], None, Some(Value::Text("ABCD".into())));
    assert!(p.point("switch_a").unwrap().1.writable.is_some());
    assert_eq!(p.point("setpoint").unwrap().1.writable.map(|w| (w.min, w.max)), Some((16.0, 30.0)));
    assert!(p.point("power").is_none());
    for expected in [
        "Power: left out: a base is not supported",
        "Cut: EdgeX cuts its scale 0.1",
        "Both: left out: a command for several resources",
    ] {
        assert!(remarks.iter().any(|r| r.starts_with(expected)), "{expected}: {remarks:#?}");
    }
}

#[test]
fn register_lists_line_by_line() {
    let csv = "Name;Ref;Type;Scale;Unit;Min;Max;Values;Colour\nMotor Speed;40041;u16;0,1;Hz;;;;\nMode;40042;enum16;;;0;1;0=off|1=auto;red\n;40043;u16;;;;;;\nNo Type;40044;;;;;;;\n";
    let (p, remarks) = imported(ImportFormat::RegisterList, csv, &ImportOptions::default());
    check(&p, "motor_speed", &[455], None, Some(Value::Real(45.5)));
    assert_eq!(p.point("mode").unwrap().1.register().unwrap().to_string(), "holding:41");
    assert!(p.point("mode").unwrap().1.writable.is_some());
    assert_eq!(
        remarks,
        [
            "line 1: column Colour is not imported",
            "line 4: left out: it has no name",
            "line 5 No Type: left out: it has no type; add the type, for example --type u16"
        ]
    );
}

#[test]
fn what_is_no_such_file_is_refused() {
    let fails = |format, text: &str| {
        import(format, &[("f".to_owned(), text.to_owned())], &ImportOptions::default()).unwrap_err()
    };
    assert!(fails(ImportFormat::SunSpec, "{").starts_with("f: the file is not JSON"));
    assert!(fails(ImportFormat::SunSpec, "{}").contains("not a SunSpec model"));
    assert!(fails(ImportFormat::EdgeX, "a: [").starts_with("f: the file is not YAML"));
    assert!(fails(ImportFormat::EdgeX, "name: x").contains("not an EdgeX device profile"));
    assert!(fails(ImportFormat::RegisterList, "a,b\n1,2\n").contains("name and register"));
    assert!(fails(ImportFormat::RegisterList, "").contains("name and register"));
}

/// A model of a field test: the "not implemented" values of 64-bit types must be absent, like those of all other
/// types.
#[test]
fn marks_of_sixty_four_bits_are_absent() {
    let text = include_str!("../../../tests/samples/field/sunspec/sixty-four-bits.json");
    let (p, _) = imported(ImportFormat::SunSpec, text, &ImportOptions::default());
    let name = |part: &str| {
        p.points.iter().find(|x| x.name.as_str().contains(part)).map(|x| x.name.to_string()).unwrap()
    };
    check(&p, &name("wh_inj"), &[0xFFFF; 4], Some(0), None);
    check(&p, &name("wh_inj"), &[0, 0, 0, 1], Some(0), Some(Value::Real(1.0)));
    check(&p, &name("net_var"), &[0x8000, 0, 0, 0], None, None);
    check(&p, &name("net_var"), &[0xFFFF; 4], None, Some(Value::Integer(-1)));
    let bits = r#"{"id": 1, "group": {"name": "g", "points": [{"name": "Flags", "type": "bitfield64", "size": 4,
        "symbols": [{"name": "HIGH", "value": 40}]}]}}"#;
    let (p, _) = imported(ImportFormat::SunSpec, bits, &ImportOptions::default());
    check(&p, "common_flags", &[0xFFFF; 4], None, None);
    check(&p, "common_flags", &[0, 0x0100, 0, 0], None, Some(Value::Integer(1 << 40)));
}

/// The form of EdgeX version 1. Its code subtracts 1 from each startingAddress.
#[test]
fn edgex_profiles_of_the_older_form() {
    let text = include_str!("../../../tests/samples/field/edgex/older-form.yml");
    let (p, remarks) = imported(ImportFormat::EdgeX, text, &ImportOptions::default());
    let (_, window) = p.point("window").unwrap();
    assert_eq!(window.register().unwrap().to_string(), "holding:4601");
    assert_eq!((&*window.unit, p.points.len()), ("min", 1));
    assert!(remarks.iter().any(|r| r.contains("counts startingAddress from 1")), "{remarks:?}");
    assert!(remarks.iter().any(|r| r.starts_with("Reset: left out: it can only be written")), "{remarks:?}");
}

#[test]
fn edgex_mappings_are_values_and_json_is_read() {
    let newer = r#"{"name": "t", "manufacturer": "m", "deviceResources": [
        {"name": "Mode", "attributes": {"primaryTable": "HOLDING_REGISTERS", "startingAddress": 3},
         "properties": {"valueType": "Uint16", "readWrite": "RW", "minimum": 0, "maximum": 2}},
        {"name": "Start", "attributes": {"primaryTable": "COILS", "startingAddress": 1},
         "properties": {"valueType": "Bool", "readWrite": "W"}}],
      "deviceCommands": [{"name": "Mode", "readWrite": "RW", "resourceOperations": [
        {"deviceResource": "Mode", "mappings": {"0": "off", "1": "auto", "2": "auto"}}]}]}"#;
    assert_eq!(ImportFormat::of("json", newer), Some(ImportFormat::EdgeX));
    let (p, remarks) = imported(ImportFormat::EdgeX, newer, &ImportOptions::default());
    let (_, mode) = p.point("mode").unwrap();
    assert_eq!((mode.value_name(1), mode.value_name(2)), (Some("auto"), Some("auto_2")));
    assert!(mode.writable.is_some() && p.point("start").is_none());
    assert_eq!(remarks.len(), 1, "{remarks:?}");
    let older = "deviceResources:\n- name: State\n  attributes: { primaryTable: INPUT_REGISTERS, startingAddress: 1 }\n  \
        properties: { value: { type: INT16, readWrite: R }, units: { defaultValue: '' } }\n\
        deviceCommands:\n- name: s\n  get:\n  - { operation: get, object: State, mappings: { '0': idle, '3': run } }\n";
    let (p, _) = imported(ImportFormat::EdgeX, older, &ImportOptions::default());
    assert_eq!(p.point("state").unwrap().1.value_name(3), Some("run"));
    assert_eq!(p.point("state").unwrap().1.register().unwrap().number, 0);
    let none = older.replace("readWrite: R ", "readWrite: W ");
    let draft = import(ImportFormat::EdgeX, &[("f".to_owned(), none)], &ImportOptions::default()).unwrap();
    assert_eq!(draft.points_count(), 0);
}

/// In Go, a shift of a signed value keeps its sign, and a mask without the sign bit gives a value that is not
/// negative.
#[test]
fn edgex_masks_of_signed_values() {
    let of = |properties: &str| {
        format!(
            "deviceResources:\n- name: V\n  attributes: {{ primaryTable: HOLDING_REGISTERS, startingAddress: 1 }}\n  properties: {{ valueType: Int16, readWrite: R, {properties} }}\n"
        )
    };
    let (p, _) = imported(ImportFormat::EdgeX, &of("mask: 0xFF00, shift: 8"), &ImportOptions::default());
    check(&p, "v", &[0xF6FB], None, Some(Value::Integer(-10)));
    let (p, _) = imported(ImportFormat::EdgeX, &of("mask: 0x00FF"), &ImportOptions::default());
    check(&p, "v", &[0xF6FB], None, Some(Value::Integer(0xFB)));
}
