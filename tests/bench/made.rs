//! Makes a site with one device from its points and faults.

use std::sync::Arc;

use andon::site::{ProfileFiles, Site, load};
use andon::source::SourceText;
use andon::words::ProfileName;

struct One(String);

impl ProfileFiles for One {
    fn text(&self, _name: &ProfileName) -> Option<SourceText> {
        Some(SourceText::new("p.toml", &self.0))
    }
    fn names(&self) -> Vec<String> {
        vec!["p".to_owned()]
    }
}

const SITE: &str = "[gateway]\nname = \"g\"\n[[link]]\nname = \"l\"\nkind = \"modbus-tcp\"\naddress = \"127.0.0.1:1\"\n\
    [[equipment]]\nid = \"e\"\nprofile = \"p\"\nlink = \"l\"\n";

/// Returns a site with one device, `e`.
pub fn site(points: &str, faults: &str) -> Arc<Site> {
    let device = "[device]\nvendor = \"B\"\nmodel = \"B\"\nkind = \"b\"\n";
    let profile = format!("{device}[points]\n{points}{faults}");
    Arc::new(load(&SourceText::new("andon.toml", SITE), &One(profile)).0.unwrap())
}
