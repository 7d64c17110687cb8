//! Tests of a single baseline on generated recordings.

use std::time::Duration;

use super::*;
use crate::words::PointIndex;

pub(super) fn spec(points: usize, learn: Learn) -> Baseline {
    let points = (0..points).map(PointIndex).collect();
    Baseline {
        points,
        learn,
        regime: None,
        cycle: None,
        follow: Follow::AsLearned,
        smooth: 2.0,
        limit: 3.0,
        definition: "d".to_owned(),
    }
}

/// Noise between -1 and 1 that is the same in each run.
pub(super) fn noise(n: u64) -> f64 {
    let x = n.wrapping_mul(6_364_136_223_846_793_005).rotate_left(17).wrapping_mul(2_862_933_555_777_941_757);
    f64::from(u32::try_from(x >> 32).unwrap()) / f64::from(u32::MAX) * 2.0 - 1.0
}

pub(super) fn good(n: u64) -> [f64; 2] {
    [100.0 + noise(n), 5.0 + 0.1 * noise(n + 7_777)]
}

/// The second `n`, on a gateway whose clock is not set.
pub(super) fn at(n: u64) -> SampleTime {
    SampleTime { mono: Mono(n * 1_000_000_000), local: None }
}

/// A watcher that has learned from the first 100 samples.
fn learned() -> Watcher {
    let mut w = Watcher::new(&spec(2, Learn::Samples(100)));
    for n in 0..100 {
        assert_eq!(w.is_excursion(), None, "it learns");
        w.sample(at(n), &good(n));
    }
    assert_eq!(w.is_excursion(), Some(false));
    w
}

#[test]
fn what_is_as_learned_is_no_excursion_and_what_is_not_is_one() {
    let mut w = learned();
    for n in 100..2000 {
        w.sample(at(n), &good(n));
        assert_eq!(w.is_excursion(), Some(false), "sample {n}: {:?}", w.distance);
    }
    for n in 2000..2020 {
        let [flow, current] = good(n);
        w.sample(at(n), &[flow - 6.0, current]);
    }
    assert_eq!(w.is_excursion(), Some(true));
    let ranking = w.ranking();
    assert_eq!(ranking[0].0, 0, "the flow makes it: {ranking:?}");
    assert!(ranking[0].1 > 0.9);
    for n in 2020..2040 {
        w.sample(at(n), &good(n));
    }
    assert_eq!(w.is_excursion(), Some(false));
}

#[test]
fn a_single_sample_is_no_excursion() {
    let mut w = learned();
    let [_, current] = good(100);
    w.sample(at(100), &[130.0, current]);
    assert_eq!(w.is_excursion(), Some(false));
}

#[test]
fn points_that_no_longer_go_together_are_an_excursion() {
    let mut w = Watcher::new(&spec(2, Learn::Samples(200)));
    let together = |n: u64| [100.0 + 5.0 * noise(n), 50.0 + 2.5 * noise(n) + 0.05 * noise(n + 99)];
    for n in 0..400 {
        w.sample(at(n), &together(n));
    }
    assert_eq!(w.is_excursion(), Some(false));
    // Each point stays within its range, but one rises where the other falls.
    for n in 400..410 {
        w.sample(at(n), &[103.0, 48.5]);
    }
    assert_eq!(w.is_excursion(), Some(true));
}

#[test]
fn the_reference_follows_drift_but_never_an_excursion() {
    let mut w = learned();
    let mut told = 0;
    for n in 100..3000 {
        let [flow, current] = good(n);
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let drift = (n - 100) as f64 * 0.002;
        told += u32::from(matches!(
            w.sample(at(n), &[flow + drift, current]),
            Some(BaselineChange::Followed { .. })
        ));
        assert_eq!(w.is_excursion(), Some(false), "sample {n}: {:?}", w.distance);
    }
    assert!((3..6).contains(&told), "recorded from time to time, for the journal: {told}");
    let reference = |w: &Watcher| match &w.phase {
        WatcherPhase::Watching(judge) => judge.reference.clone(),
        WatcherPhase::Learning(_) => Vec::new(),
    };
    for n in 3000..3003 {
        w.sample(at(n), &[150.0, 5.0]);
    }
    assert_eq!(w.is_excursion(), Some(true));
    let before = reference(&w);
    for n in 3003..4000 {
        w.sample(at(n), &[150.0, 5.0]);
    }
    assert_eq!(reference(&w), before);
}

#[test]
fn memory_is_bounded_while_it_learns() {
    let spec = spec(2, Learn::For(Duration::from_secs(49_999)));
    let mut learning = Learning::new(&spec);
    for n in 0..50_000 {
        learning.sample(at(n), &good(n));
    }
    assert!(learning.is_over(spec.learn));
    let kept = crate::limits::BASELINE_SAMPLES_KEPT * 2 * 4;
    let model = learning.model(&spec).unwrap().judge.model;
    assert_eq!(model.samples, 50_000);
    assert!(
        (model.centre[0].get() - 100.0).abs() < 0.1 && (model.scale[0].get() - 0.577).abs() < 0.02,
        "{model:?}"
    );
    assert!(format!("{learning:?}").matches(',').count() < kept + 100);
}

#[test]
fn a_point_that_did_not_move_counts_once_it_does() {
    let mut w = Watcher::new(&spec(2, Learn::Samples(60)));
    for n in 0..80 {
        w.sample(at(n), &[good(n)[0], 5.0]);
    }
    assert_eq!(w.is_excursion(), Some(false));
    for n in 80..84 {
        w.sample(at(n), &[good(n)[0], 6.0]);
    }
    assert_eq!(w.is_excursion(), Some(true));
    assert_eq!(w.ranking()[0].0, 1);
}

/// Nearly standard normal noise: the sum of twelve uniform numbers, each mixed as `SplitMix64` does.
pub(super) fn normal(n: u64) -> f64 {
    let mixed = |k: u64| {
        let x = (n * 12 + k + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        f64::from(u32::try_from((x ^ (x >> 31)) >> 32).unwrap()) / f64::from(u32::MAX) - 0.5
    };
    (0..12).map(mixed).sum()
}

#[test]
fn a_spike_of_one_sample_rarely_is_an_excursion() {
    for (learn, size) in [(100, 15.0), (400, 15.0), (400, 30.0), (4000, 1e6), (4000, 1e300)] {
        let mut w = Watcher::new(&spec(2, Learn::Samples(learn)));
        let sample = |n: u64| [normal(n), normal(n + 1_000_000)];
        for n in 0..learn {
            w.sample(at(n), &sample(n));
        }
        let (mut raised, mut stood) = (0, false);
        for n in learn..learn + 40_000 {
            let [a, b] = sample(n);
            let spike = if n % 400 == 200 { size } else { 0.0 };
            w.sample(at(n), &[a + spike, b]);
            let stands = w.is_excursion() == Some(true);
            raised += u32::from(stands && !stood);
            stood = stands;
        }
        assert!(raised <= 10, "{raised} of 100 spikes of {size} after {learn} samples");
    }
}

#[test]
fn a_small_deviation_that_lasts_is_found_on_a_longer_scale() {
    let mut w = Watcher::new(&spec(2, Learn::Samples(1000)));
    for n in 0..1500 {
        w.sample(at(n), &[normal(n), normal(n + 1_000_000)]);
        assert_ne!(w.is_excursion(), Some(true), "sample {n}");
    }
    for n in 1500..1560 {
        w.sample(at(n), &[normal(n) + 1.75, normal(n + 1_000_000)]);
    }
    assert_eq!((w.is_excursion(), w.ranking()[0].0), (Some(true), 0));
}

#[test]
fn a_time_constant_says_what_is_drift() {
    // A drift of half a standard deviation per hour, with a sample every ten seconds and one hour of learning.
    let drifting = |follow: Follow| {
        let mut w = Watcher::new(&Baseline { follow, ..spec(1, Learn::Samples(360)) });
        for n in 0..360 * 9 {
            let hours = f64::from(u32::try_from(n).unwrap()) / 360.0 - 1.0;
            let hours = hours.max(0.0);
            w.sample(at(n * 10), &[normal(n) + 0.5 * hours]);
            if w.is_excursion() == Some(true) {
                return true;
            }
        }
        false
    };
    let over = |hours: u64| Follow::Over(Duration::from_secs(hours * 3600));
    assert!(!drifting(Follow::AsLearned), "a quarter of an hour");
    assert!(!drifting(Follow::Over(Duration::from_secs(900))), "the same, said");
    assert!(drifting(over(100)), "four days");
    assert!(drifting(Follow::Never));
}

#[test]
fn a_slow_reference_begins_in_the_middle_of_what_was_learned() {
    let learned_from = |follow: Follow| {
        let mut learning = Learning::new(&spec(1, Learn::Samples(400)));
        // The machine started cold; the median is the level at which it was most of the time.
        (0..400).for_each(|n| learning.sample(at(n), &[normal(n) + if n < 40 { 20.0 } else { 60.0 }]));
        learning.model(&Baseline { follow, ..spec(1, Learn::Samples(400)) }).unwrap().judge
    };
    let slow = learned_from(Follow::Over(Duration::from_secs(86_400 * 30)));
    let never = learned_from(Follow::Never);
    assert!(never.reference[0].abs() < 1e-12);
    assert!(slow.reference[0].abs() < 0.01, "{:?}", slow.reference);
}

#[test]
fn a_limit_that_is_often_passed_widens_up_to_three_times_and_narrows_again() {
    let mut w = learned();
    let widened = |w: &Watcher| match &w.phase {
        WatcherPhase::Watching(judge) => judge.widened.exp(),
        WatcherPhase::Learning(_) => 0.0,
    };
    for n in 100..1000 {
        w.sample(at(n), &[150.0, 5.0]);
    }
    assert!((widened(&w) - 3.0).abs() < 1e-9, "{}", widened(&w));
    let told = w.told(&["flow".to_owned(), "current".to_owned()]);
    assert!(told.iter().any(|(name, text)| name == "limit" && text.starts_with("3.0 times")), "{told:?}");
    for n in 1000..2000 {
        w.sample(at(n), &good(n));
    }
    let after: f64 = 3.0_f64.ln() - 1000.0 * 0.02 * 0.5 / 100.0;
    assert!((widened(&w).ln() - after).abs() < 0.15, "{} instead of {after}", widened(&w).ln());
}

#[test]
fn a_restart_goes_on_where_the_journal_says() {
    let mut w = Watcher::new(&spec(2, Learn::Samples(100)));
    let (mut journal, mut lines): (Option<Model>, u32) = (None, 0);
    for n in 0..20_000 {
        let [flow, current] = good(n);
        let drift = f64::from(u32::try_from(n).unwrap()) * 0.0005;
        let fault = if n % 3000 > 2900 { 8.0 } else { 0.0 };
        let was_told = match (w.sample(at(n), &[flow + drift + fault, current]), &mut journal) {
            (Some(BaselineChange::Learned(model)), journal) => {
                *journal = Some(*model);
                true
            }
            (Some(BaselineChange::Followed { reference, widened }), Some(model)) => {
                (model.reference, model.widened) = (reference, widened);
                lines += 1;
                true
            }
            _ => false,
        };
        if let (true, Some(model), WatcherPhase::Watching(judge)) = (was_told, &journal, &w.phase) {
            let line = serde_json::to_string(model).unwrap();
            let mut again = Watcher::new(&spec(2, Learn::Samples(100)));
            again.restore(&serde_json::from_str(&line).unwrap());
            let WatcherPhase::Watching(restored) = &again.phase else { panic!("{line}") };
            let same = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12);
            assert!(same(&restored.reference, &judge.reference), "sample {n}");
            assert!((restored.widened - judge.widened).abs() < 1e-12, "sample {n}");
            let mut live = w.clone();
            live.pause();
            (live.excursion, live.after, again.excursion) = (None, None, None);
            for k in n..n + 20 {
                live.sample(at(k), &good(k));
                again.sample(at(k), &good(k));
                let (a, b) = (live.distance.as_ref().unwrap(), again.distance.as_ref().unwrap());
                assert!((a.strength - b.strength).abs() <= 1e-9 * a.strength, "sample {n}, {k}");
            }
        }
    }
    assert!((10..=34).contains(&lines), "at most one in ten minutes: {lines}");
}

#[test]
fn what_an_earlier_version_learned_is_judged_as_it_was_then() {
    let line = r#"{"definition":"d","samples":400,"centre":[100.5],"scale":[0.25],"covariance":[0.75],"t2":3.5,"error":3.5,"reference":[0.5]}"#;
    let model: Model = serde_json::from_str(line).unwrap();
    for (follow, definition, is_taken) in [
        (Follow::AsLearned, "d", true),
        (Follow::Never, "d, not following", true),
        (Follow::Over(Duration::from_secs(60)), "d, following over 1m", false),
    ] {
        let mut w = Watcher::new(&Baseline {
            follow,
            definition: definition.to_owned(),
            ..spec(1, Learn::Samples(400))
        });
        w.restore(&model);
        assert_eq!(w.is_excursion(), is_taken.then_some(false), "{definition}");
    }
    let mut w = Watcher::new(&spec(1, Learn::Samples(400)));
    w.restore(&model);
    // The rules of the earlier version: one smoothing over two samples, only T2, a fixed limit and a slow reference.
    let (mut s, mut reference, mut is_first) = (0.0, 0.5, true);
    for n in 0..2000 {
        let x = 100.5 + 0.25 * (0.5 + normal(n)) + if n > 1000 { 0.5 } else { 0.0 };
        w.sample(at(n), &[x]);
        let off = (x - 100.5) / 0.25 - reference;
        s = if is_first { off } else { s + (off - s) / 2.0 };
        is_first = false;
        let strength = s * s / 0.75 / 3.5;
        let distance = w.distance.as_ref().unwrap();
        assert!((distance.strength - strength).abs() < 1e-9, "sample {n}: {distance:?}, {strength}");
        let WatcherPhase::Watching(judge) = &w.phase else { panic!("it watches") };
        assert!(judge.widened.abs() < 1e-12);
        if w.is_excursion() == Some(true) {
            break;
        }
        reference += off.clamp(-2.0, 2.0) / (2.5 * 400.0);
    }
    let told = w.told(&["flow".to_owned()]);
    assert!(told.iter().any(|(_, text)| text.contains("an earlier version")), "{told:?}");
}

#[test]
fn few_samples_are_said() {
    let mut few = learned();
    few.sample(at(100), &good(100));
    let said = |w: &Watcher| w.told(&[]).iter().any(|(name, _)| name == "learned from few samples");
    assert!(said(&few));
    let mut enough = Watcher::new(&spec(2, Learn::Samples(300)));
    (0..301).for_each(|n| drop(enough.sample(at(n), &good(n))));
    assert!(!said(&enough));
}

#[test]
fn slow_drift_is_an_excursion_where_it_is_not_followed() {
    let drifting = |follow: Follow| {
        let mut w = Watcher::new(&Baseline { follow, smooth: 20.0, ..spec(2, Learn::Samples(400)) });
        for n in 0..6000 {
            let [flow, current] = good(n);
            #[expect(clippy::cast_precision_loss, reason = "a small number")]
            let drift = n as f64 * 0.0005;
            w.sample(at(n), &[flow + drift, current]);
        }
        (w.is_excursion(), w.ranking())
    };
    assert_eq!(drifting(Follow::AsLearned).0, Some(false));
    let (stands, ranking) = drifting(Follow::Never);
    assert_eq!((stands, ranking[0].0), (Some(true), 0));
}
