//! The first profile of a new device, for a person to complete: `andon profile new`.

/// The kinds of first profiles that `andon profile new` can write.
pub const SCAFFOLD_KINDS: [&str; 1] = ["modbus"];

/// Returns a profile that loads and passes its own cases. Its comments tell the person what to replace.
#[must_use]
pub fn scaffold(name: &str) -> String {
    format!(
        r#"# Device profile {name}. Check it with: andon profile check {name}.toml

[device]
vendor = "Maker"
model = "{name}"
kind = "kind of device, such as drive"
source = "manual, edition and page of the register table"

[modbus]
max_registers = 60          # registers of one read; the manual gives the limit
timeout = "500ms"

[points]
# register counts from 0, as in the request; ref = "40001" is the same register as a manual prints it.
# andon decode 42F6 E979 shows the value of raw registers for every type and word order.
speed = {{ register = "holding:0", type = "u16", scale = 0.1, unit = "Hz", every = "1s" }}
status = {{ register = "holding:1", type = "bits16", bits = {{ 0 = "running", 3 = "tripped" }} }}
fault_code = {{ register = "holding:2", type = "u16" }}

[faults.overspeed]
severity = "major"
when = "speed > 51 and status.running"
clear = "speed < 50.5"
on_delay = "2s"
means = "The output frequency is higher than the machine allows."
causes = ["Reference too high"]
steps = [
  {{ id = "reference", do = "Compare the reference on the panel with the order", yes = "back", no = "cause:Reference too high" }},
  {{ id = "back", check = "speed < 50.5 for 5s", yes = "done", no = "cause:Controller tuning" }},
]

[codes.fault_code]
point = "fault_code"
style = "value"
none = [0]
1 = {{ name = "overcurrent", severity = "critical", means = "Output current above the limit.", causes = ["Blocked rotor"], safety = ["loto:electrical"] }}

[[case]]
name = "running at 45 Hz"
registers = {{ "holding:0" = [450, 1, 0] }}
expect = {{ speed = 45.0, "status.running" = true, fault_code = 0 }}
faults = []

[[case]]
name = "tripped on overcurrent"
registers = {{ "holding:0" = [0, 8, 1] }}
expect = {{ "status.tripped" = true }}
faults = ["overcurrent"]
"#
    )
}

#[cfg(test)]
mod tests {
    use super::super::{load, run_cases};
    use super::*;
    use crate::source::SourceText;
    use crate::words::ProfileName;

    #[test]
    fn the_scaffold_loads_and_proves_itself() {
        let name = ProfileName::parse("new-device").unwrap();
        let (profile, diagnostics) = load(&name, &SourceText::new("n", &scaffold("new-device")));
        assert_eq!(diagnostics.lines(), Vec::<String>::new());
        let results = run_cases(&profile.unwrap());
        assert_eq!(results.len(), 2);
        assert!(results.iter().all(|r| r.problems.is_empty()), "{results:?}");
    }

    #[test]
    fn problems_have_their_column() {
        let text = scaffold("x").replace("speed > 51", "sped > 51").replace("scale = 0.1", "scal = 0.1");
        let (profile, diagnostics) =
            load(&ProfileName::parse("x").unwrap(), &SourceText::new("x.toml", &text));
        assert!(profile.is_none());
        let lines = diagnostics.lines().join("\n");
        assert!(lines.contains("there is no point sped; help: did you mean speed?"), "{lines}");
        assert!(lines.contains("unknown key `scal`"), "{lines}");
        assert!(lines.contains("did you mean scale?"), "{lines}");
    }

    #[test]
    fn every_built_in_profile_proves_itself() {
        for name in super::super::built_in_names() {
            let source = super::super::built_in(&name).unwrap();
            let (profile, diagnostics) = load(&name, &source);
            assert!(diagnostics.list.is_empty(), "{:#?}", diagnostics.lines());
            let profile = profile.unwrap();
            assert!(!profile.cases.is_empty(), "{name} has no case");
            for result in run_cases(&profile) {
                assert!(result.problems.is_empty(), "{name}: {result:?}");
            }
        }
    }
}
