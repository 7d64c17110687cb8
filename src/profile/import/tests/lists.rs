//! Tests of register lists in the forms that other programs export, shortened.

use super::*;
use crate::profile::Area;

fn map(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(f, c)| ((*f).to_owned(), (*c).to_owned())).collect()
}

fn types(pairs: &[(&str, &str)]) -> Vec<(Option<String>, String)> {
    pairs.iter().map(|(w, t)| ((!w.is_empty()).then(|| (*w).to_owned()), (*t).to_owned())).collect()
}

#[track_caller]
fn list(text: &str, options: ImportOptions) -> (Profile, Vec<String>) {
    imported(ImportFormat::RegisterList, text, &options)
}

fn refused(text: &str, options: &ImportOptions) -> String {
    match import(ImportFormat::RegisterList, &[("f.csv".to_owned(), text.to_owned())], options) {
        Ok(draft) => panic!("{}", draft.render("p")),
        Err(why) => why,
    }
}

#[track_caller]
fn place(p: &Profile, point: &str, expected: &str) {
    let (_, found) = p.point(point).unwrap_or_else(|| panic!("no {point}"));
    assert_eq!(format!("{} {}", found.place, found.kind.word()), expected, "{point}");
}

#[test]
fn near_header_words_are_proposed_and_taken_by_map() {
    let text = include_str!("../../../../tests/samples/field/register-lists/meter.csv");
    let why = refused(text, &ImportOptions::default());
    let expected = "f.csv: no line has the columns name and register (or ref); line 1 has similar names, add: \
        --map name=\"Register Name\" --map register=Address --map area=Table --map unit=Units";
    assert_eq!(why, expected);
    let named = [("name", "Register Name"), ("register", "address"), ("area", "Table"), ("unit", "Units")];
    let (p, remarks) = list(text, ImportOptions { map: map(&named), ..ImportOptions::default() });
    place(&p, "serial_number", "holding:40001 u32");
    place(&p, "frequency", "holding:40025 u16");
    place(&p, "voltage_a", "holding:40100 f32");
    assert_eq!((&*p.point("frequency").unwrap().1.unit, remarks.len()), ("Hz", 0));
    // The same numbers as manuals print them.
    let named = [("name", "Register Name"), ("ref", "Address"), ("area", "Table")];
    let (p, remarks) = list(text, ImportOptions { map: map(&named), ..ImportOptions::default() });
    place(&p, "serial_number", "holding:0 u32");
    assert_eq!(remarks, ["line 1: column Units is not imported; if it is the unit: --map unit=\"Units\""]);
    let why = refused("Name,Registers,Data Type\na,33000,Uint16\n", &ImportOptions::default());
    assert!(why.ends_with("--map register=Registers --map type=\"Data Type\""), "{why}");
    let wrong = ImportOptions { map: map(&[("name", "Nome")]), ..ImportOptions::default() };
    assert!(refused(text, &wrong).contains("there is no column Nome"));
    let wrong = ImportOptions { map: map(&[("nam", "Address")]), ..ImportOptions::default() };
    assert!(refused(text, &wrong).contains("a column can be name, register, ref"));
}

#[test]
fn an_odd_row_is_left_out_with_its_line_and_stops_no_other() {
    let text = include_str!("../../../../tests/samples/field/register-lists/one-odd-row.csv");
    let (p, remarks) = list(text, ImportOptions::default());
    assert_eq!((p.points.len(), remarks.len()), (3, 0), "uint16 is a type that everybody knows");
    let odd = "name,register,type,unit\ngood,holding:0,u16,V\nbad,holding:1,colour,W\nworse,holdin:2,u16,\n\
        worst,holding:70000,u16,\nwide,holding:65535,u32,\n\nmany,holding:9,string,\n";
    let (p, remarks) = list(odd, ImportOptions::default());
    assert_eq!(p.points.len(), 1);
    for (line, part) in [
        ("line 3 bad", "type colour is unknown"),
        ("line 4 worse", "register holdin:2 is not a number"),
        ("line 5 worst", "register holding:70000 is not a number"),
        ("line 6 wide", "reaches beyond register 65535"),
        ("line 8 many", "a string needs its length"),
    ] {
        let told = remarks.iter().any(|r| r.starts_with(&format!("{line}: left out: ")) && r.contains(part));
        assert!(told, "{line} {part}: {remarks:#?}");
    }
    assert_eq!(remarks.len(), 5);
}

#[test]
fn names_that_repeat_are_numbered() {
    let text = include_str!("../../../../tests/samples/field/register-lists/reserved-twice.csv");
    let (p, remarks) = list(text, ImportOptions::default());
    let (_, state) = p.point("state").unwrap();
    let named: Vec<_> = (0..4).map(|n| state.value_name(n).unwrap()).collect();
    assert_eq!(named, ["off", "reserved", "reserved_2", "on"]);
    assert!(remarks[0].starts_with("line 3 state: its values repeat"), "{remarks:?}");
    let bits = "name,register,type,bits\na,holding:0,bits16,0=x|1=x|2=y|2=z\nA,holding:1,u16,\n";
    let (p, _) = list(bits, ImportOptions::default());
    assert_eq!(p.point("a").unwrap().1.bits.keys().collect::<Vec<_>>(), ["x", "x_2", "y"]);
    assert!(p.point("a_2").is_some());
}

#[test]
fn other_encodings_are_read() {
    let bytes = include_bytes!("../../../../tests/samples/field/register-lists/windows-1252.csv");
    let (text, encoding) = text_of(bytes);
    assert_eq!(encoding, Some("windows-1252"));
    let (p, _) = list(&text, ImportOptions::default());
    assert_eq!(&*p.point("temperature").unwrap().1.unit, "degC");
    let utf16: Vec<u8> =
        [0xFEFF_u16].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let (again, encoding) = text_of(&utf16);
    assert_eq!((again, encoding), (text, Some("UTF-16LE")));
}

#[test]
fn bare_numbers_need_an_area() {
    let text = "name,register,type\nspeed,40,u16\n";
    let draft =
        import(ImportFormat::RegisterList, &[("f".to_owned(), text.to_owned())], &ImportOptions::default());
    let draft = draft.unwrap();
    assert!(
        draft.points_count() == 0 && draft.remarks[0].contains("add --area holding"),
        "{:?}",
        draft.remarks
    );
    let (p, _) = list(text, ImportOptions { area: Some(Area::Holding), ..ImportOptions::default() });
    place(&p, "speed", "holding:40 u16");
    let one = ImportOptions { area: Some(Area::Input), one_based: true, ..ImportOptions::default() };
    place(&list(text, one).0, "speed", "input:39 u16");
}

/// The export of Kepware: numbers with the digit of the area, its own type words, a bit after a point.
#[test]
fn tags_of_kepware() {
    let text = "Tag Name,Address,Data Type,Respect Data Type,Client Access,Scan Rate,Scaling,Eng Units,Description\n\
        \"Line.Speed\",\"400011\",Word,1,RO,100,,rpm,\"belt\"\n\
        \"Line.Load\",\"400012\",Float,1,R/W,100,,%,\n\
        \"Line.Run\",\"400020.3\",Boolean,1,RO,100,,,\n\"Line.Count\",\"300005\",Long,1,RO,100,,,\n";
    let named = [("name", "Tag Name"), ("ref", "Address"), ("type", "Data Type"), ("unit", "Eng Units")];
    let options =
        ImportOptions { map: map(&named), types: types(&[("long", "i32")]), ..ImportOptions::default() };
    let (p, _) = list(text, options);
    place(&p, "line_speed", "holding:10 u16");
    place(&p, "line_load", "holding:11 f32");
    place(&p, "line_count", "input:4 i32");
    assert_eq!((p.point("line_run").unwrap().1.bit, p.points.len()), (Some(3), 4));
}

/// The list of a heat pump (in the form of pysolarfocus): areas as words, factors as fractions, `-` for an empty
/// cell.
#[test]
fn factors_as_fractions() {
    let text = "Register Type,Register Address,Register Count,Name,Data Type,Unit,Scale Factor,Description\n\
        Input,1100,1,Flow,int16,°C,1/10,Flow temperature\nHolding,32000,1,Mode,uint16,-,-,0=open 1=closed\n\
        Input,1102,2,Energy,uint32,kWh,1/1000,\n";
    let named = [
        ("area", "Register Type"),
        ("register", "Register Address"),
        ("type", "Data Type"),
        ("scale", "Scale Factor"),
    ];
    let (p, _) = list(text, ImportOptions { map: map(&named), ..ImportOptions::default() });
    place(&p, "flow", "input:1100 i16");
    place(&p, "mode", "holding:32000 u16");
    check(&p, "flow", &[215], None, Some(Value::Real(21.5)));
    check(&p, "energy", &[0, 1500], None, Some(Value::Real(1.5)));
    assert_eq!((&*p.point("flow").unwrap().1.unit, &*p.point("mode").unwrap().1.unit), ("degC", ""));
}

/// The list of Nibe: tabs, a divisor, areas as constants of a program.
#[test]
fn divisors_and_tabs() {
    let text = "Title\tRegister type\tRegister\tDivision factor\tUnit\tSize of variable\tMin value\n\
        Outdoor (BT1)\tMODBUS_INPUT_REGISTER\t1\t10\t°C\ts16\t0\nDegree minutes\tMODBUS_HOLDING_REGISTER\t11\t10\tDM\ts32\t0\n";
    let named = [
        ("name", "Title"),
        ("area", "Register type"),
        ("divisor", "Division factor"),
        ("type", "Size of variable"),
    ];
    let (p, _) = list(text, ImportOptions { map: map(&named), ..ImportOptions::default() });
    place(&p, "outdoor_bt1", "input:1 i16");
    check(&p, "outdoor_bt1", &[0xFFF6], None, Some(Value::Real(-1.0)));
    place(&p, "degree_minutes", "holding:11 i32");
}

/// Lists without a header: columns by their numbers (the configuration of modpoll, the attributes of Victron).
#[test]
fn columns_by_number() {
    let modpoll = "device,meter,1,,,\npoll,input_register,0,36,BE_BE,\nref,VOLTS_L1,0,float32,r,V\nref,AMPS_L1,6,float32,r,A\nref,RESET,10,uint16,w,\n";
    let numbered = [("name", "#2"), ("register", "#3"), ("type", "#4"), ("access", "#5"), ("unit", "#6")];
    let options = ImportOptions { map: map(&numbered), area: Some(Area::Input), ..ImportOptions::default() };
    let (p, remarks) = list(modpoll, options);
    place(&p, "volts_l1", "input:0 f32");
    assert_eq!((p.points.len(), remarks.len()), (2, 3), "{remarks:?}");
    assert!(remarks[2].starts_with("line 5 RESET: left out: it can only be written"));
    let victron = "com.example.grid,/Ac/Power,i,W,2600,int16,1,R\ncom.example.grid,/Ac/Mode,y,0=Off;1=Slow;2=Fast;3=On,2601,uint16,1,R\n";
    let numbered = [("name", "#2"), ("unit", "#4"), ("register", "#5"), ("type", "#6"), ("divisor", "#7")];
    let options =
        ImportOptions { map: map(&numbered), area: Some(Area::Holding), ..ImportOptions::default() };
    place(&list(victron, options).0, "ac_power", "holding:2600 i16");
    let pairs = "0x0000;v1\n0x0002;v2\n0x001E;pf1\n";
    let options = ImportOptions {
        map: map(&[("register", "#1"), ("name", "#2")]),
        area: Some(Area::Input),
        types: types(&[("", "f32")]),
        ..ImportOptions::default()
    };
    place(&list(pairs, options).0, "pf1", "input:30 f32");
}

/// The form of the maps of PythonProtocolGateway: ranges, factors before units, values as JSON.
#[test]
fn ranges_factors_in_units_and_values_as_json() {
    let text = "variable name,data type,register,documented name,writable,values,unit\n\
        serial,ASCII,3~7,SN,,,\n,,79,Grid frequency,R,0~9999,0.01Hz\n,INT,63-64,Energy,R,,0.1kWh\n\
        ,uint16,806,Relay,yes,\"{\"\"0\"\":\"\"Open\"\",\"\"1\"\":\"\"Closed\"\"}\",\n,byte,0x000A.b8,Current,R,10~60,A\n";
    let named = [("name", "documented name"), ("type", "data type")];
    let options = ImportOptions {
        map: map(&named),
        area: Some(Area::Holding),
        types: types(&[("", "u16")]),
        ..ImportOptions::default()
    };
    let (p, remarks) = list(text, options);
    place(&p, "sn", "holding:3 string");
    assert_eq!(p.point("sn").unwrap().1.width(), 5);
    place(&p, "energy", "holding:63 i32");
    check(&p, "grid_frequency", &[5001], None, Some(Value::Real(50.01)));
    assert_eq!(&*p.point("grid_frequency").unwrap().1.unit, "Hz");
    assert_eq!(p.point("relay").unwrap().1.value_name(1), Some("Closed"));
    assert!(
        remarks.iter().any(|r| r.starts_with("line 6 Current: left out: it has a bit (8)")),
        "{remarks:?}"
    );
    assert!(remarks.iter().any(|r| r.starts_with("line 3 Grid frequency: its values are left out")));
}

/// A list whose column `type` contains the access, and whose values have no separators (a heat pump).
#[test]
fn a_column_may_be_named_for_something_else() {
    let text = "register,address,description,range,type\n1001,1000,Run/Stop,0: Stop 1: Run,R/W\n1003,1002,Setpoint,,W\n";
    let named = [("register", "address"), ("name", "description"), ("values", "range"), ("access", "type")];
    let options = ImportOptions {
        map: map(&named),
        area: Some(Area::Holding),
        types: types(&[("", "u16")]),
        ..ImportOptions::default()
    };
    let (p, remarks) = list(text, options);
    place(&p, "run_stop", "holding:1000 enum16");
    assert_eq!(p.point("run_stop").unwrap().1.value_name(1), Some("Run"));
    assert_eq!((p.points.len(), remarks.len()), (1, 2), "{remarks:?}");
}

/// A list with a title above its header, function codes, and its own codes for types (a maker of heat pumps).
#[test]
fn titles_function_codes_and_own_codes_for_types() {
    let text = "Registers of the pump;;;;\nversion 3;;;;\nFunction Code;Modbus address;Object designation;Data type;Unit\n\
        0x04;501;ACTUAL TEMPERATURE;2;°C\n0x03;1501;OPERATING MODE;8;\n";
    let named = [
        ("area", "Function Code"),
        ("register", "Modbus address"),
        ("name", "Object designation"),
        ("type", "Data type"),
    ];
    let options = ImportOptions {
        map: map(&named),
        types: types(&[("2", "i16"), ("8", "u16")]),
        one_based: true,
        ..ImportOptions::default()
    };
    let (p, _) = list(text, options);
    place(&p, "actual_temperature", "input:500 i16");
    place(&p, "operating_mode", "holding:1500 u16");
}

#[test]
fn orders_and_hexadecimal_columns() {
    let text =
        "name,Address (hex),type,word_order\na,0010,float32,CDAB\nb,00FF,uint32,dcba\nc,0100,uint32,middle\n";
    let options = ImportOptions {
        map: map(&[("register", "Address (hex)")]),
        area: Some(Area::Holding),
        ..ImportOptions::default()
    };
    let (p, remarks) = list(text, options);
    place(&p, "a", "holding:16 f32");
    place(&p, "b", "holding:255 u32");
    check(&p, "a", &[0x0000, 0x3F80], None, Some(Value::Real(1.0)));
    check(&p, "b", &[0x0100, 0x0000], None, Some(Value::Integer(1)));
    assert!(remarks[0].contains("line 4 c: left out: word_order middle"), "{remarks:?}");
}
