//! Reading of `[baseline]`: the definition of the normal operation to learn. An excursion from it is a fault with the
//! same name.

use std::time::Duration;

use super::fault::{Baseline, Fault, Follow, Learn, Trigger};
use super::faults::{condition, fault_name, no_point, read_common};
use super::model::Profile;
use crate::expr::Names;
use crate::limits;
use crate::source::Section;
use crate::words::{PointIndex, Severity, Value, render_duration};

pub(super) fn read_baselines(root: &Section<'_>, profile: &Profile, names: &dyn Names) -> Vec<Fault> {
    let Some(table) = root.section("baseline") else { return Vec::new() };
    let mut faults = Vec::new();
    for name in table.names() {
        let Some(s) = table.section(&name.value) else { continue };
        if let (Some(id), Some(fault)) = (fault_name(&s, &name), read(&s, profile, names)) {
            faults.push(Fault { name: id, ..fault });
        }
        s.finish();
    }
    faults
}

fn read(s: &Section<'_>, profile: &Profile, names: &dyn Names) -> Option<Fault> {
    let cycle = condition(s, "cycle", names);
    let points = read_points(s, profile, s.has("cycle"));
    let follow = read_follow(s);
    let learn = read_learn(s);
    let regime = condition(s, "while", names);
    let (least, most) = limits::BASELINE_SMOOTH;
    let smooth = s.number_between("smooth", least, most);
    let (least, most) = limits::BASELINE_LIMIT;
    let limit = s.number_between("limit", least, most);
    let on_delay = s.duration_between("on_delay", Duration::ZERO, limits::DELAY_MAX);
    let off_delay = s.duration_between("off_delay", Duration::ZERO, limits::DELAY_MAX);
    let mut fault = read_common(s, names, Some(Severity::Minor));
    let learn = s.required("learn", "\"7d\" of normal operation, or 400 samples", learn)?;
    let smooth = smooth.unwrap_or(limits::BASELINE_SMOOTH_DEFAULT);
    let of: Vec<String> = points.iter().map(|(name, _)| name.clone()).collect();
    let during = regime.as_ref().map_or_else(String::new, |r| format!(" while {}", r.text));
    let each = cycle.as_ref().map_or_else(String::new, |c| format!(" in each cycle of {}", c.text));
    let of = if of.is_empty() { "duration".to_owned() } else { of.join(", ") };
    let (over, following) = (learn.text(), follow.defines());
    let definition = format!("{of}{each} over {over}, smoothed over {smooth}{during}{following}");
    let leads = points.first().filter(|_| cycle.is_none()).and_then(|(_, at)| profile.points.get(at.0));
    warn_of_short_learning(s, learn, leads.and_then(|point| point.every));
    if fault.guidance.means.is_empty() {
        "The points do not behave as in the normal operation that andon learned."
            .clone_into(&mut fault.guidance.means);
    }
    fault.on_delay = on_delay.unwrap_or_default();
    fault.off_delay = off_delay.unwrap_or_default();
    fault.trigger = Trigger::Excursion(Box::new(Baseline {
        points: points.into_iter().map(|(_, at)| at).collect(),
        learn,
        regime,
        cycle,
        follow,
        smooth,
        limit: limit.unwrap_or(limits::BASELINE_LIMIT_DEFAULT),
        definition,
    }));
    Some(fault)
}

fn read_points(s: &Section<'_>, profile: &Profile, is_cycle: bool) -> Vec<(String, PointIndex)> {
    let mut points: Vec<(String, PointIndex)> = Vec::new();
    let named = s.texts("points");
    for name in &named {
        let error = |message: String, label: &str| s.error(name.span.clone(), message, label);
        match profile.point(&name.value) {
            None => no_point(s, name, profile),
            Some((_, point)) if !point.is_number() => {
                error(format!("{} is not a number", name.value), "a baseline learns numbers");
            }
            Some((at, _)) if points.iter().any(|(_, p)| *p == at) => {
                error(format!("{} is named twice", name.value), "");
            }
            Some((at, _)) => points.push((name.value.clone(), at)),
        }
    }
    // Each point of a cycle gives two numbers (mean and peak), and the duration of the cycle gives one.
    let most = if is_cycle { (limits::BASELINE_POINTS_MAX - 1) / 2 } else { limits::BASELINE_POINTS_MAX };
    if named.is_empty() && !is_cycle {
        s.missing("points", "[\"current\", \"vibration\"]");
    } else if points.len() > most {
        s.error(s.key_span("points"), format!("a baseline must have at most {most} points"), "");
    }
    points
}

fn read_follow(s: &Section<'_>) -> Follow {
    let Some(found) = s.scalar("follow") else { return Follow::AsLearned };
    match found.value {
        Value::Bool(true) => Follow::AsLearned,
        Value::Bool(false) => Follow::Never,
        Value::Text(_) => {
            let (shortest, longest) = limits::BASELINE_FOLLOW;
            s.duration_between("follow", shortest, longest).map_or(Follow::AsLearned, Follow::Over)
        }
        _ => {
            s.error(
                found.span,
                "follow must be true, false or a duration",
                "\"30d\" is a time constant of 30 days",
            );
            Follow::AsLearned
        }
    }
}

/// Warns if the baseline learns from too little data, and says why: it then takes rare but normal states for an
/// excursion.
fn warn_of_short_learning(s: &Section<'_>, learn: Learn, every: Option<Duration>) {
    let advised = limits::BASELINE_SAMPLES_ADVISED;
    let week = render_duration(limits::BASELINE_LEARN_ADVISED);
    let warning = match (learn, every) {
        (Learn::Samples(n), _) if n < advised => Some((
            format!("{n} samples are too few for reliable learning"),
            format!("fewer than {advised} samples show only roughly how the points move together"),
        )),
        (Learn::For(time), _) if time < limits::BASELINE_LEARN_ADVISED => Some((
            format!("{} is too short for reliable learning", render_duration(time)),
            format!(
                "operation that is normal only at another time of the week becomes an excursion; {week} includes every shift and the weekend"
            ),
        )),
        (Learn::For(time), Some(every)) if time.as_secs_f64() < every.as_secs_f64() * samples(advised) => {
            let (time, every) = (render_duration(time), render_duration(every));
            Some((
                format!("{time} with a sample every {every} gives fewer than {advised} samples"),
                "so few samples show only roughly how the points move together".to_owned(),
            ))
        }
        (Learn::Samples(_) | Learn::For(_), _) => None,
    };
    if let Some((message, reason)) = warning {
        s.warning(s.key_span("learn"), message, reason, None);
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred samples")]
fn samples(n: u64) -> f64 {
    n as f64
}

fn read_learn(s: &Section<'_>) -> Option<Learn> {
    if matches!(s.scalar("learn").map(|v| v.value), Some(Value::Text(_))) {
        let d =
            s.duration_between("learn", limits::BASELINE_LEARN_SHORTEST, limits::BASELINE_LEARN_LONGEST)?;
        return Some(Learn::For(d));
    }
    let least = i128::from(limits::BASELINE_LEARN_MIN);
    let samples = s.integer_between("learn", least, i128::from(u32::MAX))?;
    u64::try_from(samples.value).ok().map(Learn::Samples)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::load;
    use crate::source::{Level, SourceText};
    use crate::words::ProfileName;

    /// Returns the baseline of a profile, the warnings and the errors.
    fn read(every: &str, rest: &str) -> (Option<Baseline>, Vec<String>, Vec<String>) {
        let text = format!(
            "[device]\nvendor = 'v'\nmodel = 'm'\nkind = 'k'\n[points]\n\
             flow = {{ register = 'holding:0', type = 'f32', every = '{every}' }}\n\
             [baseline.loop]\npoints = ['flow']\n{rest}\n"
        );
        let name = ProfileName::parse("p").unwrap();
        let (profile, diagnostics) = load(&name, &SourceText::new("p.toml", &text));
        let of = |level: Level| {
            let all = diagnostics.list.iter().filter(|d| d.level == level);
            all.map(|d| format!("{}; {}", d.message, d.label)).collect::<Vec<_>>()
        };
        let found = profile.and_then(|p| match p.faults.into_iter().map(|f| f.trigger).next()? {
            Trigger::Excursion(baseline) => Some(*baseline),
            Trigger::Condition { .. } | Trigger::Silence => None,
        });
        (found, of(Level::Warning), of(Level::Error))
    }

    #[test]
    fn drift_is_followed_as_learned_not_at_all_or_with_a_time_constant() {
        let days = |n: u64| Duration::from_secs(n * 86_400);
        for (text, follow, definition) in [
            ("", Follow::AsLearned, "flow over 7d, smoothed over 2"),
            ("follow = true", Follow::AsLearned, "flow over 7d, smoothed over 2"),
            ("follow = false", Follow::Never, "flow over 7d, smoothed over 2, not following"),
            ("follow = '30d'", Follow::Over(days(30)), "flow over 7d, smoothed over 2, following over 30d"),
        ] {
            let (found, warnings, errors) = read("1s", &format!("learn = '7d'\n{text}"));
            let found = found.unwrap_or_else(|| panic!("{text}: {errors:?}"));
            assert_eq!((found.follow, found.definition.as_str()), (follow, definition));
            assert_eq!((warnings.len(), errors.len()), (0, 0), "{warnings:?} {errors:?}");
        }
        for wrong in ["follow = 30", "follow = 1.5", "follow = 'slow'", "follow = '10s'", "follow = '99999d'"]
        {
            let (_, _, errors) = read("1s", &format!("learn = '7d'\n{wrong}"));
            assert!(
                errors.len() == 1 && errors.iter().all(|e| e.contains("follow must be")),
                "{wrong}: {errors:?}"
            );
        }
    }

    #[test]
    fn learning_from_too_little_is_warned_of_with_the_reason() {
        for (every, learn, warned) in [
            ("1s", "'7d'", None),
            ("1s", "'14d'", None),
            ("1s", "300", None),
            ("1s", "400", None),
            ("1s", "299", Some("299 samples are too few for reliable learning; fewer than 300 samples")),
            ("1s", "'3d'", Some("3d is too short for reliable learning; operation that is normal only")),
            ("1h", "'7d'", Some("7d with a sample every 1h gives fewer than 300 samples; so few")),
            ("30m", "'7d'", None),
        ] {
            let (found, warnings, errors) = read(every, &format!("learn = {learn}"));
            assert!(found.is_some() && errors.is_empty(), "{errors:?}");
            assert_eq!(warnings.len(), usize::from(warned.is_some()), "{every} {learn}: {warnings:?}");
            for (warning, begins) in warnings.iter().zip(warned) {
                assert!(warning.starts_with(begins), "{warning}");
            }
        }
    }
}
