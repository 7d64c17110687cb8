//! Reading of `[mqtt]`, and topic filters: their check, and the topics that match.

use std::time::Duration;

use crate::limits;
use crate::source::Section;

/// The MQTT settings of a device.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MqttSettings {
    /// The topic that reports whether the device is online; `None` if the device has no such topic.
    pub availability: Option<Availability>,
    /// Default of `stale_after` of the points; `None` means never stale.
    pub stale_after: Option<Duration>,
}

/// A topic that reports whether a device is online.
#[derive(Debug, Clone, PartialEq)]
pub struct Availability {
    /// The topic, with the fields of the equipment still to be filled in.
    pub topic: String,
    /// The payload that means "online".
    pub online: String,
    /// The payload that means "offline".
    pub offline: String,
}

pub(super) fn read_mqtt(root: &Section<'_>) -> MqttSettings {
    let mut out = MqttSettings::default();
    let Some(s) = root.section("mqtt") else { return out };
    if let Some(a) = s.section("availability") {
        let topic = a.text("topic");
        let topic = a.required("topic", "\"tele/{topic}/LWT\"", topic);
        let (online, offline) = (a.text("online"), a.text("offline"));
        if let Some(topic) = topic {
            if let Err(why) = check_filter(&topic.value) {
                a.error(topic.span, format!("\"{}\" is not a topic", topic.value), why);
            }
            out.availability = Some(Availability {
                topic: topic.value,
                online: online.map_or_else(|| "online".to_owned(), |t| t.value),
                offline: offline.map_or_else(|| "offline".to_owned(), |t| t.value),
            });
        }
        a.finish();
    }
    out.stale_after = s.duration_between("stale_after", limits::EVERY_MIN, limits::EVERY_MAX);
    s.finish();
    out
}

/// Checks that a text is a topic filter (MQTT 4.7): `+` matches one whole level, `#` matches all further levels.
///
/// # Errors
/// A sentence with the problem.
pub fn check_filter(filter: &str) -> Result<(), String> {
    if filter.is_empty() || filter.len() > limits::TOPIC_BYTES_MAX {
        return Err(format!("a topic must have 1 to {} bytes", limits::TOPIC_BYTES_MAX));
    }
    if filter.contains('\0') {
        return Err("a topic must not contain a zero character".to_owned());
    }
    let count = filter.split('/').count();
    for (index, level) in filter.split('/').enumerate() {
        if level.contains('#') && (level != "#" || index + 1 != count) {
            return Err("# must be alone in its level, and that level must be the last".to_owned());
        }
        if level.contains('+') && level != "+" {
            return Err("+ must be alone in its level".to_owned());
        }
    }
    Ok(())
}

/// True if a topic matches a filter (MQTT 4.7). Wildcards at the start do not match topics that begin with `$`.
#[must_use]
pub fn fits(topic: &str, filter: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut levels = topic.split('/');
    for wanted in filter.split('/') {
        match (wanted, levels.next()) {
            ("#", _) => return true,
            ("+", Some(_)) => {}
            (wanted, Some(level)) if wanted == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(topic: &str, filter: &str, expected: bool) {
        assert_eq!(fits(topic, filter), expected, "{topic} {filter}");
    }

    #[test]
    fn filters_fit_as_the_standard_says() {
        check("a/b/c", "a/b/c", true);
        check("a/b/c", "a/+/c", true);
        check("a/b/c", "a/#", true);
        check("a", "a/#", true);
        check("a/b/c", "a/+", false);
        check("a/b", "a/b/c", false);
        check("/a", "+/+", true);
        check("Öfen/1", "#", true);
        check("Öfen/1", "Öfen/+", true);
        check("$SYS/x", "#", false);
        check("$SYS/x", "$SYS/#", true);
    }

    #[test]
    fn wrong_filters_are_told() {
        for filter in ["", "a/#/b", "a#", "a+/b", "a/\0"] {
            assert!(check_filter(filter).is_err(), "{filter:?}");
        }
        for filter in ["#", "+", "a/+/#", "tele/{topic}/LWT", "/"] {
            assert_eq!(check_filter(filter), Ok(()), "{filter}");
        }
    }
}
