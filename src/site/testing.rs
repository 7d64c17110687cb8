//! A small site for tests of other modules: one link, and the equipment `e` and `f` with a given profile.

use std::sync::Arc;

use super::{ProfileFiles, Site, load};
use crate::source::{Diagnostics, SourceText};
use crate::words::ProfileName;

struct One(String);

impl ProfileFiles for One {
    fn text(&self, _name: &ProfileName) -> Option<SourceText> {
        Some(SourceText::new("p.toml", &self.0))
    }
    fn names(&self) -> Vec<String> {
        vec!["p".to_owned()]
    }
}

/// The site of [`site`], with a link that only listens (MQTT).
pub fn listened(points: &str, rest: &str) -> Arc<Site> {
    made(points, rest, "", "kind = 'mqtt'\nurl = 'mqtt://127.0.0.1:1'")
}

/// A site with two pieces of equipment, `e` and `f`. Their profile has these points and the rest of the file.
pub fn site(points: &str, rest: &str) -> Arc<Site> {
    made(points, rest, "offline_after = '10s'", "kind = 'modbus-tcp'\naddress = '127.0.0.1:1'")
}

/// The site of [`site`], in which `f` depends on `e`.
pub fn dependent(points: &str, rest: &str) -> Arc<Site> {
    let link = "kind = 'modbus-tcp'\naddress = '127.0.0.1:1'";
    depending(points, rest, "offline_after = '10s'", link, "depends_on = ['e']")
}

/// A site in which `e` is the Sparkplug node `g/n` and `f` is its device `g/n/d`. The gateway is a primary host.
pub fn sparkplug(points: &str) -> Arc<Site> {
    made(points, "", "", "kind = 'mqtt'\nurl = 'mqtt://127.0.0.1:1'\nsparkplug_host = 'h'")
}

/// Returns the warnings for a site in which `e` has this profile, on a link of this kind.
pub fn warnings(profile: &str, link: &str) -> String {
    let config = format!(
        "[gateway]\nname = 'g'\n[[link]]\nname = 'l'\n{link}\n\
        [[equipment]]\nid = 'e'\nprofile = 'p'\nlink = 'l'\nunit = 1\n"
    );
    let (site, diagnostics) = load(&SourceText::new("andon.toml", &config), &One(profile.to_owned()));
    let lines: Vec<String> = diagnostics.iter().flat_map(Diagnostics::lines).collect();
    assert!(site.is_some(), "{lines:#?}");
    lines.join("\n")
}

fn made(points: &str, rest: &str, head: &str, link: &str) -> Arc<Site> {
    depending(points, rest, head, link, "")
}

fn depending(points: &str, rest: &str, head: &str, link: &str, of_f: &str) -> Arc<Site> {
    let profile = format!("{head}\n[device]\nvendor='v'\nmodel='m'\nkind='k'\n[points]\n{points}\n{rest}");
    let config = format!(
        "[gateway]\nname = 'g'\n[[link]]\nname = 'l'\n{link}\n\
        [[equipment]]\nid = 'e'\nprofile = 'p'\nlink = 'l'\nunit = 1\nsparkplug = 'g/n'\n[[equipment]]\nid = 'f'\nprofile = 'p'\nlink = 'l'\nunit = 2\nsparkplug = 'g/n/d'\n{of_f}\n"
    );
    let (site, diagnostics) = load(&SourceText::new("andon.toml", &config), &One(profile));
    let lines: Vec<String> = diagnostics.iter().flat_map(Diagnostics::lines).collect();
    Arc::new(site.unwrap_or_else(|| panic!("{lines:#?}")))
}

/// A site of several machines `m0`, `m1`, ... with one profile.
pub fn plant(machines: usize, profile: &str) -> Arc<Site> {
    let equipment: String = (0..machines)
        .map(|n| format!("[[equipment]]\nid = 'm{n}'\nprofile = 'p'\nlink = 'l'\nunit = {}\n", n + 1))
        .collect();
    let config = format!(
        "[gateway]\nname = 'g'\n[[link]]\nname = 'l'\nkind = 'modbus-tcp'\naddress = '127.0.0.1:1'\n{equipment}"
    );
    let (site, diagnostics) = load(&SourceText::new("andon.toml", &config), &One(profile.to_owned()));
    let lines: Vec<String> = diagnostics.iter().flat_map(Diagnostics::lines).collect();
    Arc::new(site.unwrap_or_else(|| panic!("{lines:#?}")))
}
