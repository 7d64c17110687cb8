//! Names of points across equipment: `@compressor-1:pressure` in the profile of a press.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::expr::{Names, PointInfo};
use crate::profile::Profile;

/// The names that the expressions of one profile can use at a site.
pub(super) struct SiteNames<'a> {
    pub own: &'a Profile,
    /// The profiles of all equipment of the site, by equipment id.
    pub others: &'a BTreeMap<String, Arc<Profile>>,
}

impl Names for SiteNames<'_> {
    fn point(&self, equipment: Option<&str>, name: &str) -> Option<PointInfo> {
        match equipment {
            None => Names::point(self.own, None, name),
            Some(id) => Names::point(self.others.get(id)?.as_ref(), None, name),
        }
    }

    fn known(&self, equipment: Option<&str>) -> Vec<String> {
        match equipment {
            None => self.own.known(None),
            Some(id) => self.others.get(id).map_or_else(Vec::new, |p| p.known(None)),
        }
    }
}
