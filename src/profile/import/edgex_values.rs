//! Names of values in EdgeX profiles: the `mappings` of commands (old and new form) and of resources.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::draft::numbered;

/// The names of the values of each resource.
pub(super) type Mappings<'j> = BTreeMap<&'j str, &'j serde_json::Map<String, Json>>;

/// Returns all mappings of a profile, by the resource whose values they name.
pub(super) fn mappings(profile: &Json) -> Mappings<'_> {
    let mut out = Mappings::new();
    for resource in list(profile, "deviceResources") {
        let own = ["/mappings", "/properties/mappings", "/attributes/mappings"];
        let found = own.iter().find_map(|at| resource.pointer(at)).and_then(Json::as_object);
        if let (Some(name), Some(found)) = (resource.get("name").and_then(Json::as_str), found) {
            out.insert(name, found);
        }
    }
    for operation in commands(profile).flat_map(operations) {
        let resource = ["deviceResource", "object", "resource"].iter().find_map(|key| operation.get(*key));
        let found = operation.get("mappings").and_then(Json::as_object).filter(|m| !m.is_empty());
        if let (Some(name), Some(found)) = (resource.and_then(Json::as_str), found) {
            out.entry(name).or_insert(found);
        }
    }
    out
}

/// Returns the commands of a profile: `deviceCommands` in versions 2 and 3, `profiles` or `resources` in some
/// profiles of version 1.
pub(super) fn commands(profile: &Json) -> impl Iterator<Item = &Json> {
    ["deviceCommands", "profiles", "resources"].into_iter().flat_map(|key| list(profile, key))
}

/// Returns the operations of a command, one for each resource.
pub(super) fn operations(command: &Json) -> impl Iterator<Item = &Json> {
    ["resourceOperations", "get", "set"].into_iter().flat_map(|key| list(command, key))
}

fn list<'j>(json: &'j Json, key: &str) -> impl Iterator<Item = &'j Json> + use<'j> {
    json.get(key).and_then(Json::as_array).into_iter().flatten()
}

/// Returns the names of a mapping with whole numbers as keys; `None` if a key is not a whole number or the mapping is
/// empty.
pub(super) fn names_of(mapping: &serde_json::Map<String, Json>) -> Option<Vec<(u64, String)>> {
    let named: Option<Vec<(u64, String)>> = mapping
        .iter()
        .map(|(key, name)| {
            let name = name.as_str().map_or_else(|| name.to_string(), str::to_owned);
            Some((key.trim().parse().ok()?, name))
        })
        .collect();
    named.filter(|n| !n.is_empty()).map(|mut n| {
        n.sort_by_key(|(number, _)| *number);
        numbered(n)
    })
}
