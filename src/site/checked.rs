//! Checks of `andon.toml` across equipment, profiles, links and dependencies.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::config::Draft;
use super::model::{Character, Link, LinkKind};
use crate::profile::{LineDefaults, Place, Point, Profile, Protocol};
use crate::source::Section;

/// Checks `accept` of a profile: deviations from the standard are allowed only for a device that is alone on its
/// link. They give a warning.
fn check_accept(root: &Section<'_>, link: &Link, d: &Draft, profile: &Profile, is_only: bool) {
    let accept = profile.modbus.accept;
    if !accept.is_any() {
        return;
    }
    if is_only {
        let text = format!("{} on link {}: {}", profile.name, link.name, accept.weakness());
        root.warning(d.profile.span.clone(), text, "", None);
    } else {
        root.error_with_help(
            d.link_span.clone(),
            format!("`accept` of {} can only be used on a link with one device", profile.name),
            "",
            format!("put {} on a separate link", d.id),
        );
    }
}

/// Warns if the settings of a serial line differ from the factory settings of the device. With wrong settings the
/// device does not answer at all.
fn check_line(root: &Section<'_>, link: &Link, d: &Draft, profile: &Profile) {
    let (LinkKind::ModbusRtu(line) | LinkKind::ModbusAscii(line)) = &link.kind else { return };
    let Some(maker) = profile.modbus.line else { return };
    let Character { data_bits, parity, stop_bits } = line.character;
    let own = LineDefaults { baud: line.baud, data_bits, parity, stop_bits };
    if own == maker {
        return;
    }
    let text =
        format!("link {} is set to {own}, but the factory setting of {} is {maker}", link.name, profile.name);
    let help = "use the setting of the device; ignore this warning if the setting of the device was changed";
    root.warning(d.link_span.clone(), text, "", Some(help.to_owned()));
}

/// Checks that each piece of equipment has a link with its protocol, and the keys that its protocol needs.
pub(super) fn check_links(
    root: &Section<'_>,
    links: &[Link],
    drafts: &[Draft],
    loaded: &BTreeMap<String, Arc<Profile>>,
) {
    for (index, d) in drafts.iter().enumerate() {
        let (Some(link), Some(profile)) = (links.get(d.link), loaded.get(&d.profile.value)) else { continue };
        let protocol = profile.protocol();
        if matches!(
            link.kind,
            LinkKind::ModbusRtu(_) | LinkKind::ModbusAscii(_) | LinkKind::ModbusRtuOverTcp { .. }
        ) && !(1..=247).contains(&d.unit)
        {
            let why = if d.unit == 0 {
                "unit 0 is the Modbus broadcast address, and no device answers it: use 1 to 247"
            } else {
                "the unit must be from 1 to 247"
            };
            root.error_with_help(
                d.unit_span.clone(),
                format!("unit {} cannot be used on a serial line", d.unit),
                "",
                why,
            );
        }
        if !link.kind.carries(protocol) {
            root.error(
                d.link_span.clone(),
                format!(
                    "{} uses {}, but link {} is {}",
                    profile.name,
                    protocol.word(),
                    link.name,
                    link.kind.word()
                ),
                "",
            );
        }
        check_line(root, link, d, profile);
        if protocol == Protocol::Sparkplug && d.sparkplug.is_none() {
            root.error_with_help(
                d.profile.span.clone(),
                format!("{} has no Sparkplug id", d.id),
                "",
                "add: sparkplug = \"group/node\"",
            );
        }
        let needs_topic =
            |p: &Point| matches!(&p.place, Place::Topic { filter, .. } if filter.contains("{topic}"));
        if d.topic.is_none() && profile.points.iter().any(needs_topic) {
            root.error_with_help(
                d.profile.span.clone(),
                format!("{} has no topic", d.id),
                "",
                "add: topic = \"...\", which replaces {topic} in the profile",
            );
        }
        check_accept(root, link, d, profile, drafts.iter().filter(|o| o.link == d.link).count() == 1);
        if d.base.is_some() && protocol != Protocol::Modbus {
            root.error(d.unit_span.clone(), format!("{} has no registers for `base`", profile.name), "");
        }
        let twin = drafts.iter().take(index).find(|o| o.link == d.link);
        if let (Some(twin), LinkKind::Serial(_)) = (twin, &link.kind) {
            root.error(
                d.link_span.clone(),
                format!("link {} can have only one device, and {} already uses it", link.name, twin.id),
                "",
            );
        }
    }
}

/// Checks that each name in `depends_on` is a piece of equipment or a link of the file.
pub(super) fn check_dependencies(root: &Section<'_>, drafts: &[Draft], links: &[Link]) {
    let mut ids: BTreeSet<&str> = drafts.iter().map(|d| d.id.as_str()).collect();
    ids.extend(links.iter().map(|l| l.name.as_str()));
    for d in drafts {
        for other in &d.depends_on {
            if other.value == d.id.as_str() {
                root.error(other.span.clone(), format!("{} cannot depend on itself", d.id), "");
            } else if !ids.contains(other.value.as_str()) {
                let help = root
                    .suggest(&other.value, ids.iter().copied())
                    .or("name a piece of equipment or a link of this file");
                root.error_with_help(
                    other.span.clone(),
                    format!("there is no equipment or link {}", other.value),
                    "",
                    help,
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::site::testing::warnings;

    #[test]
    fn a_line_that_differs_from_what_the_maker_delivers_is_warned_of() {
        let profile = "[modbus]\nline = '9600 8N1'\n[device]\nvendor = 'v'\nmodel = 'm'\nkind = 'k'\n\
            [points]\nx = { register = 'holding:0', type = 'u16' }\n";
        let with =
            |line: &str| warnings(profile, &format!("kind = 'modbus-rtu'\nport = '/dev/ttyS9'\n{line}"));
        let told = with("");
        assert!(
            told.contains("link l is set to 19200 8E1, but the factory setting of p is 9600 8N1"),
            "{told}"
        );
        for other in ["baud = 9600", "baud = 9600\nparity = 'none'\nstop_bits = 2"] {
            assert!(with(other).contains("the factory setting of p is 9600 8N1"), "{other}");
        }
        assert_eq!(with("baud = 9600\nparity = 'none'"), "");
        let network = warnings(profile, "kind = 'modbus-tcp'\naddress = '127.0.0.1:1'");
        assert_eq!(network, "", "a network has no baud rate");
    }
}
