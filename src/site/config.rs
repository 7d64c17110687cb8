//! Reading of `andon.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

use super::checked::{check_dependencies, check_links};
use super::link_kind::read_link;
use super::model::{Criticality, Equipment, FileHash, Link, LinkKind, ProfileFiles, Site, SparkplugId};
use super::names::SiteNames;
use crate::limits;
use crate::profile::{Area, Place, Profile, load_note, load_with};
use crate::source::{Diagnostics, Section, SourceText, Span, Spanned, read_toml};
use crate::words::{EquipmentId, ProfileName};

/// A piece of equipment from `andon.toml`, before its profile is loaded. Fields with a span are needed for later
/// messages.
pub(super) struct Draft {
    pub id: EquipmentId,
    pub name: String,
    pub profile: Spanned<String>,
    pub link: usize,
    pub unit: u8,
    pub base: Option<Spanned<u16>>,
    pub topic: Option<String>,
    pub sparkplug: Option<SparkplugId>,
    pub link_span: Span,
    pub unit_span: Span,
    pub location: String,
    pub criticality: Criticality,
    pub depends_on: Vec<Spanned<String>>,
    pub firmware: Option<String>,
}

/// Loads a site. The problems come file by file, `andon.toml` first. The site is `None` if any file has an error.
pub fn load(source: &SourceText, profiles: &dyn ProfileFiles) -> (Option<Site>, Vec<Diagnostics>) {
    let mut diagnostics = Diagnostics::new(source.clone());
    let mut others = Vec::new();
    let site = read_toml(&mut diagnostics, |root| read(root, source, profiles, &mut others));
    let broken = diagnostics.has_errors() || others.iter().any(Diagnostics::has_errors);
    let mut all = vec![diagnostics];
    all.extend(others);
    (site.filter(|_| !broken), all)
}

/// Returns the data directory in a file. Other errors of the file do not matter.
#[must_use]
pub fn data_of(source: &SourceText) -> Option<String> {
    read_toml(&mut Diagnostics::new(source.clone()), |root| {
        Some(root.section("gateway")?.text("data")?.value)
    })
}

fn read(
    root: &Section<'_>,
    source: &SourceText,
    files: &dyn ProfileFiles,
    others: &mut Vec<Diagnostics>,
) -> Option<Site> {
    let gateway = root.section("gateway");
    let gateway = root.required("gateway", "{ name = \"line-3\" }", gateway);
    let mut site = Site {
        name: String::new(),
        data: None,
        timezone: None,
        zone: TimeZone::UTC,
        recorder_mib: limits::RECORDER_MIB,
        links: Vec::new(),
        equipment: Vec::new(),
        files: Vec::new(),
        notes: Vec::new(),
    };
    if let Some(s) = gateway {
        let name = s.name("name");
        site.name = s.required("name", "\"line-3\"", name).map_or_else(String::new, |n| n.value);
        site.data = s.text("data").map(|d| d.value);
        if let Some((name, zone)) = s.name("timezone").and_then(|t| read_timezone(&s, t)) {
            (site.timezone, site.zone) = (Some(name), zone);
        }
        let mib = s.integer_between("recorder_mib", 0, i128::from(limits::RECORDER_MIB_MAX));
        let mib = mib.and_then(|n| u64::try_from(n.value).ok());
        site.recorder_mib = mib.unwrap_or(limits::RECORDER_MIB);
        // `open` is the only mode so far. Another word is an error.
        let _mode = s.choice("mode", &[("open", ())]);
        s.finish();
    }
    for s in root.sections("link") {
        if let Some(link) = read_link(&s, &site.name) {
            let place = link.kind.place();
            let same = |l: &&Link| l.kind.place() == place && !matches!(l.kind, LinkKind::Mqtt(_));
            if let Some(twin) = site.links.iter().find(same) {
                let text = format!("{} and {} have the same address, {place}", twin.name, link.name);
                let help =
                    "many devices refuse a second connection; put all units of this address on one link";
                s.warning(s.key_span("name"), text, "", Some(help.to_owned()));
            }
            if site.links.iter().any(|l| l.name == link.name) {
                s.error(s.key_span("name"), format!("two links are named {}", link.name), "");
            }
            site.links.push(link);
        }
        s.finish();
    }
    let mut drafts: Vec<Draft> = Vec::new();
    let mut ids: BTreeSet<EquipmentId> = BTreeSet::new();
    for s in root.sections_up_to("equipment", limits::EQUIPMENT_MAX) {
        if let Some(draft) = read_equipment(&s, &site.links) {
            if !ids.insert(draft.id.clone()) {
                s.error(s.key_span("id"), format!("two pieces of equipment have the id {}", draft.id), "");
            }
            drafts.push(draft);
        }
        s.finish();
    }
    root.finish();
    check_dependencies(root, &drafts, &site.links);
    let loaded = load_profiles(root, &drafts, files, others);
    site.files = file_hashes(source, &loaded);
    load_notes(&mut site, &loaded, files, others);
    if site.files.len() > limits::FILES_MAX {
        let message = format!("at most {} profiles and firmware notes can be loaded", limits::FILES_MAX);
        root.error(0..0, message, format!("there are {}", site.files.len()));
    }
    check_links(root, &site.links, &drafts, &loaded);
    for d in drafts {
        let Some(profile) = loaded.get(&d.profile.value) else { continue };
        let base = d.base.as_ref().map_or(0, |b| b.value);
        let Some(profile) = based(profile, base) else {
            let span = d.base.map_or(0..0, |b| b.span);
            root.error(
                span,
                format!("base = {base} moves registers of {} beyond 65535", d.profile.value),
                "",
            );
            continue;
        };
        site.equipment.push(Equipment {
            id: d.id,
            name: d.name,
            profile,
            link: d.link,
            unit: d.unit,
            base,
            topic: d.topic,
            sparkplug: d.sparkplug,
            location: d.location,
            criticality: d.criticality,
            depends_on: d.depends_on.into_iter().map(|s| s.value).collect(),
            firmware: d.firmware,
        });
    }
    Some(site)
}

fn read_timezone(s: &Section<'_>, zone: Spanned<String>) -> Option<(String, TimeZone)> {
    match TimeZone::get(&zone.value) {
        Ok(found) => Some((zone.value, found)),
        Err(_) => {
            s.error_with_help(
                zone.span,
                format!("there is no time zone {}", zone.value),
                "",
                "as in Europe/Berlin, UTC",
            );
            None
        }
    }
}

fn file_hashes(source: &SourceText, loaded: &BTreeMap<String, Arc<Profile>>) -> Vec<FileHash> {
    let sha256 = Sha256::digest(source.text.as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
    let mut files = vec![FileHash { name: "andon.toml".to_owned(), sha256 }];
    files.extend(loaded.iter().map(|(name, p)| FileHash {
        name: format!("device-profiles/{name}.toml"),
        sha256: p.sha256.clone(),
    }));
    files
}

/// Loads the firmware notes about the loaded profiles.
fn load_notes(
    site: &mut Site,
    loaded: &BTreeMap<String, Arc<Profile>>,
    files: &dyn ProfileFiles,
    others: &mut Vec<Diagnostics>,
) {
    for (name, text) in files.notes() {
        let (note, mut diagnostics) = load_note(&name, &text);
        if let Err(why) = ProfileName::parse(&name) {
            diagnostics.error(
                0..0,
                format!("'{name}' is not a valid name for a firmware note"),
                why.to_string(),
            );
        }
        if !diagnostics.list.is_empty() {
            others.push(diagnostics);
        }
        let Some(note) = note.filter(|n| n.profiles.iter().any(|p| loaded.contains_key(p))) else { continue };
        let sha256 = Sha256::digest(text.text.as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
        site.files.push(FileHash { name: format!("firmware-notes/{name}.md"), sha256 });
        site.notes.push(note);
    }
}

/// Loads each profile twice: first alone, then with the names of all other equipment, so that `@other:point` is
/// checked.
fn load_profiles(
    root: &Section<'_>,
    drafts: &[Draft],
    files: &dyn ProfileFiles,
    others: &mut Vec<Diagnostics>,
) -> BTreeMap<String, Arc<Profile>> {
    let mut first: BTreeMap<String, (SourceText, Arc<Profile>)> = BTreeMap::new();
    let mut tried: BTreeSet<&str> = BTreeSet::new();
    let mut known: Option<Vec<String>> = None;
    for d in drafts {
        let name = d.profile.value.as_str();
        if tried.contains(name) {
            continue;
        }
        let text = ProfileName::parse(name).ok().and_then(|n| files.text(&n).map(|t| (n, t)));
        let Some((parsed, text)) = text else {
            let known = known.get_or_insert_with(|| files.names());
            let help = root.suggest(name, known.iter().map(String::as_str)).or_known();
            root.error_with_help(d.profile.span.clone(), format!("there is no profile {name}"), "", help);
            continue;
        };
        tried.insert(name);
        let (profile, diagnostics) = load_with(&parsed, &text, None);
        if !diagnostics.list.is_empty() {
            others.push(diagnostics);
        }
        if let Some(profile) = profile {
            first.insert(name.to_owned(), (text, Arc::new(profile)));
        }
    }
    let by_equipment: BTreeMap<String, Arc<Profile>> = drafts
        .iter()
        .filter_map(|d| Some((d.id.as_str().to_owned(), first.get(&d.profile.value)?.1.clone())))
        .collect();
    let mut out = BTreeMap::new();
    for (name, (text, profile)) in &first {
        let names = SiteNames { own: profile, others: &by_equipment };
        let (checked, diagnostics) = load_with(&profile.name, text, Some(&names));
        match checked {
            Some(checked) => {
                out.insert(name.clone(), Arc::new(checked));
            }
            None => others.push(diagnostics),
        }
    }
    out
}

fn read_equipment(s: &Section<'_>, links: &[Link]) -> Option<Draft> {
    let id = s.name("id");
    let id = s.required("id", "\"press-7\"", id);
    let name = s.name("name");
    let profile = s.name("profile");
    let profile = s.required("profile", "\"eastron-sdm630\"", profile);
    let link = s.name("link");
    let link = s.required("link", "\"rs485-a\"", link);
    let unit = s.integer_between("unit", 0, 255).and_then(|u| u8::try_from(u.value).ok()).unwrap_or(1);
    let base = s
        .integer_between("base", 0, i128::from(u16::MAX))
        .and_then(|b| Some(Spanned { value: u16::try_from(b.value).ok()?, span: b.span }));
    let topic = s.text_up_to("topic", limits::TOPIC_BYTES_MAX).map(|t| t.value);
    let sparkplug = s.text_up_to("sparkplug", limits::KEY_BYTES_MAX).and_then(|t| {
        let parts: Vec<&str> = t.value.split('/').collect();
        match parts.as_slice() {
            [group, node] | [group, node, _] if !group.is_empty() && !node.is_empty() => Some(SparkplugId {
                group: (*group).to_owned(),
                node: (*node).to_owned(),
                device: parts.get(2).map(|d| (*d).to_owned()),
            }),
            _ => {
                s.error(
                    t.span,
                    format!("\"{}\" is not a Sparkplug id", t.value),
                    "write group/node or group/node/device",
                );
                None
            }
        }
    });
    let link_span = s.key_span("link");
    let unit_span = if s.has("unit") { s.key_span("unit") } else { s.key_span("id") };
    let location = s.text_up_to("location", limits::KEY_BYTES_MAX).map_or_else(String::new, |t| t.value);
    let letters = Criticality::ALL.map(|c| (c.word(), c));
    let criticality = s.choice("criticality", &letters).map_or(Criticality::B, |c| c.value);
    let depends_on = s.texts("depends_on");
    let firmware = s.name("firmware").map(|t| t.value);
    let id = id.and_then(|i| {
        EquipmentId::parse(&i.value)
            .map_err(|e| s.error(i.span, format!("'{}' is not a valid equipment id", i.value), e.to_string()))
            .ok()
    });
    let link = link.and_then(|l| {
        let at = links.iter().position(|x| x.name.as_str() == l.value);
        if at.is_none() {
            let known = links.iter().map(|x| x.name.as_str());
            let help = s.suggest(&l.value, known).or("add it as a [[link]]");
            s.error_with_help(l.span, format!("there is no link {}", l.value), "", help);
        }
        at
    });
    let id = id?;
    Some(Draft {
        name: name.map_or_else(|| id.as_str().to_owned(), |n| n.value),
        id,
        profile: profile?,
        link: link?,
        unit,
        base,
        topic,
        sparkplug,
        link_span,
        unit_span,
        location,
        criticality,
        depends_on,
        firmware,
    })
}

/// Returns a copy of a profile with all registers moved by `base`: for one of several identical machines in one
/// controller. `None` if a register would be larger than 65535.
fn based(profile: &Arc<Profile>, base: u16) -> Option<Arc<Profile>> {
    if base == 0 {
        return Some(profile.clone());
    }
    let mut moved = Profile::clone(profile);
    for point in &mut moved.points {
        let width = point.width();
        if let Place::Register(address) = &mut point.place
            && address.area != Area::Identification
        {
            address.number = address.number.checked_add(base)?;
            address.number.checked_add(width.saturating_sub(1))?;
        }
    }
    Some(Arc::new(moved))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{built_in, built_in_names};

    struct BuiltIn;
    impl ProfileFiles for BuiltIn {
        fn text(&self, name: &ProfileName) -> Option<SourceText> {
            built_in(name)
        }
        fn names(&self) -> Vec<String> {
            built_in_names().iter().map(|n| n.as_str().to_owned()).collect()
        }
    }

    #[track_caller]
    fn check(text: &str, lines: &[&str]) {
        let (site, diagnostics) = load(&SourceText::new("andon.toml", text), &BuiltIn);
        let found: Vec<String> = diagnostics.iter().flat_map(Diagnostics::lines).collect();
        assert_eq!(found, lines);
        assert_eq!(site.is_some(), lines.is_empty());
    }

    const GOOD: &str = r#"
[gateway]
name = "line-3"
[[link]]
name = "bus"
kind = "modbus-rtu"
port = "/dev/ttyUSB0"
baud = 9600
parity = "none"
[[equipment]]
id = "press-7"
profile = "eastron-sdm630"
link = "bus"
"#;

    #[test]
    fn a_good_site() {
        check(GOOD, &[]);
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        check(
            &GOOD
                .replace("eastron-sdm630", "eastron-sdm63")
                .replace("link = \"bus\"", "link = \"buss\"\nunt = 3"),
            &[
                "andon.toml:13:8: error: there is no link buss; help: did you mean bus?",
                "andon.toml:14:1: error: unknown key `unt` in equipment; help: did you mean unit?",
            ],
        );
        check(
            &GOOD.replace("eastron-sdm630", "eastron-sdm63"),
            &[
                "andon.toml:12:11: error: there is no profile eastron-sdm63; help: did you mean eastron-sdm630?",
            ],
        );
    }
}
