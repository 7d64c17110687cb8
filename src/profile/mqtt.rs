//! Reading `[mqtt]`, and topic filters: what they may be, and which topics fit them.

use std::time::Duration;

use crate::limits;
use crate::source::Section;

/// How a device on a broker tells that it is there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MqttSettings {
    /// The topic that says so.
    pub availability: Option<Availability>,
    /// How old a reading may grow; never stale when absent.
    pub stale_after: Option<Duration>,
}

/// A topic that says whether a device is there.
#[derive(Debug, Clone, PartialEq)]
pub struct Availability {
    /// The topic, fields of the equipment not yet filled in.
    pub topic: String,
    /// The payload that says it is.
    pub online: String,
    /// The payload that says it is not.
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

/// Whether a text is a topic filter (MQTT 4.7): `+` stands for one whole level, `#` for the last ones.
///
/// # Errors
/// What is wrong.
pub fn check_filter(filter: &str) -> Result<(), String> {
    if filter.is_empty() || filter.len() > limits::TOPIC_BYTES_MAX {
        return Err(format!("a topic has 1 to {} bytes", limits::TOPIC_BYTES_MAX));
    }
    if filter.contains('\0') {
        return Err("a topic holds no zero character".to_owned());
    }
    let count = filter.split('/').count();
    for (index, level) in filter.split('/').enumerate() {
        if level.contains('#') && (level != "#" || index + 1 != count) {
            return Err("# stands alone, as the last level".to_owned());
        }
        if level.contains('+') && level != "+" {
            return Err("+ stands for a whole level".to_owned());
        }
    }
    Ok(())
}

/// Whether a topic fits a filter (MQTT 4.7); wildcards at the front do not fit topics that begin with `$`.
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
