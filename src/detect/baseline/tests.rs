//! A baseline on made recordings, by itself.

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

/// Noise between -1 and 1 that is the same each time.
pub(super) fn noise(n: u64) -> f64 {
    let x = n.wrapping_mul(6_364_136_223_846_793_005).rotate_left(17).wrapping_mul(2_862_933_555_777_941_757);
    f64::from(u32::try_from(x >> 32).unwrap()) / f64::from(u32::MAX) * 2.0 - 1.0
}

pub(super) fn good(n: u64) -> [f64; 2] {
    [100.0 + noise(n), 5.0 + 0.1 * noise(n + 7_777)]
}

pub(super) fn at(n: u64) -> Mono {
    Mono(n * 1_000_000_000)
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
    for n in 2020..2030 {
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
    // Each stays within what it was; one goes up where the other goes down.
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
        told +=
            u32::from(matches!(w.sample(at(n), &[flow + drift, current]), Some(BaselineChange::Followed { .. })));
        assert_eq!(w.is_excursion(), Some(false), "sample {n}: {:?}", w.distance);
    }
    assert!((5..60).contains(&told), "told now and then, for the journal: {told}");
    let reference = |w: &Watcher| match &w.phase {
        Phase::Watching(judge) => judge.reference.clone(),
        Phase::Learning(_) => Vec::new(),
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

