//! Tests with extreme samples: a baseline learns and evaluates beside numbers that no machine produces. The model is
//! compared in the form in which the journal stores it.

use proptest::prelude::*;

use super::tests::{at, good, spec};
use super::*;
use crate::detect::BaselineEvent;
use crate::words::{EquipmentId, FaultName};

/// The model learned from `samples` samples of two points, some of which are replaced by `wild`.
fn learned(samples: u64, wild: impl Fn(u64) -> Option<[f64; 2]>) -> (Watcher, serde_json::Value) {
    let mut w = Watcher::new(&spec(2, Learn::Samples(samples)));
    for n in 0..samples {
        let sample = wild(n).unwrap_or(good(n));
        if let Some(BaselineChange::Learned(model)) = w.sample(at(n), &sample) {
            let (equipment, fault) = (EquipmentId::parse("e").unwrap(), FaultName::parse("loop").unwrap());
            let line = serde_json::to_string(&BaselineEvent::Learned { equipment, fault, model }).unwrap();
            let back: Result<BaselineEvent, _> = serde_json::from_str(&line);
            assert!(back.is_ok(), "what was learned reads back: {line}");
            return (w, serde_json::from_str::<serde_json::Value>(&line).unwrap()["data"]["model"].take());
        }
    }
    panic!("nothing was learned from {samples} samples");
}

fn numbers(model: &serde_json::Value, key: &str) -> Vec<f64> {
    model[key].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn scales(model: &serde_json::Value) -> impl Iterator<Item = &serde_json::Value> {
    model["longer"].as_array().unwrap().iter()
}

/// Each learned number is close to its value without the extreme samples.
#[track_caller]
fn is_as(clean: &serde_json::Value, model: &serde_json::Value, samples: u64) {
    for (a, b) in numbers(clean, "centre").iter().zip(numbers(model, "centre")) {
        assert!((a - b).abs() < 0.2, "centre {b} instead of {a}");
    }
    for (a, b) in numbers(clean, "scale").iter().zip(numbers(model, "scale")) {
        assert!((0.75..1.3).contains(&(b / a)), "scale {b} instead of {a}");
    }
    let (t2, clean_t2) = (model["t2"].as_f64().unwrap(), clean["t2"].as_f64().unwrap());
    assert!((0.4..2.5).contains(&(t2 / clean_t2)), "limit {t2} instead of {clean_t2} of {samples} samples");
    for (a, b) in numbers(clean, "covariance").iter().zip(numbers(model, "covariance")) {
        assert!((a - b).abs() < 0.9, "covariance {b} instead of {a}");
    }
    for (clean, longer) in scales(clean).zip(scales(model)) {
        for limit in ["t2", "error", "most"] {
            // A larger spread with a smaller limit in spreads is the same limit.
            let of =
                |scale: &serde_json::Value| scale[limit].as_f64().unwrap() * numbers(scale, "covariance")[0];
            let (a, b) = (of(clean), of(longer));
            assert!((0.25..4.0).contains(&(b / a)), "{limit} {b} instead of {a} of {samples} samples");
        }
    }
}

const WILD: [f64; 7] = [1.5e200, 1e308, -1e300, 1e6, 3.402_823_466_385_288_6e38, f64::MAX, f64::MIN];

#[test]
fn one_wild_sample_hardly_moves_what_is_learned() {
    let (_, clean) = learned(50, |_| None);
    for wild in WILD {
        for place in [0, 1, 30, 49] {
            let (_, model) = learned(50, |n| (n == place).then_some([wild, -wild]));
            is_as(&clean, &model, 50);
        }
    }
}

#[test]
fn wild_samples_hardly_move_a_long_learning_either() {
    // More samples than are stored: every fourth is stored, and the others are smoothed as they arrive.
    let (_, clean) = learned(20_000, |_| None);
    let (_, spread) = learned(20_000, |n| (n % 128 == 5).then_some([1e300, -1e308]));
    is_as(&clean, &spread, 20_000);
    let (_, at_once) = learned(20_000, |n| (9_000..9_150).contains(&n).then_some([1e300, 1e300]));
    is_as(&clean, &at_once, 20_000);
}

#[test]
fn a_level_that_a_machine_takes_now_and_then_is_learned() {
    let (mut w, model) = learned(1000, |n| (n % 50 == 0).then_some([200.0, 5.0]));
    assert!(numbers(&model, "scale")[0] > 10.0, "{model}");
    for n in 0..200 {
        w.sample(at(1000 + n), &if n % 50 == 0 { [200.0, 5.0] } else { good(n) });
        assert_eq!(w.is_excursion(), Some(false));
    }
}

#[test]
fn numbers_that_nothing_can_be_learned_of_begin_the_learning_again() {
    let mut w = Watcher::new(&spec(1, Learn::Samples(50)));
    for n in 0..50 {
        assert_eq!(w.sample(at(n), &[if n % 2 == 0 { f64::MAX } else { f64::MIN }]), None);
    }
    let told = (50..99).filter_map(|n| w.sample(at(n), &[good(n)[0]])).count();
    assert_eq!(told, 0);
    assert!(matches!(w.sample(at(99), &[100.0]), Some(BaselineChange::Learned(_))));
}

#[test]
fn a_wild_sample_while_watching_is_soon_forgotten() {
    for wild in WILD {
        let (mut w, _) = learned(100, |_| None);
        for n in 0..5_000 {
            let sample = if n % 1000 == 500 { [wild, -wild] } else { good(n) };
            if let Some(BaselineChange::Followed { reference, .. }) = w.sample(at(100 + n), &sample) {
                assert!(reference.iter().all(|r| r.get().abs() < 3.0), "{wild}: {reference:?}");
            }
            if !(500..510).contains(&(n % 1000)) {
                assert_eq!(w.is_excursion(), Some(false), "{wild}, sample {n}: {:?}", w.distance);
            }
        }
        for n in 0..20 {
            w.sample(at(6_000 + n), &[wild, wild]);
        }
        assert_eq!(w.is_excursion(), Some(true), "{wild}");
        for n in 0..30 {
            w.sample(at(7_000 + n), &good(n));
        }
        assert_eq!(w.is_excursion(), Some(false), "{wild}");
    }
}

#[test]
fn what_is_not_finite_is_no_sample() {
    let (mut w, _) = learned(100, |_| None);
    for wild in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(w.sample(at(100), &[wild, 5.0]), None);
        w.sample(at(101), &good(101));
        assert!(w.distance.as_ref().unwrap().strength.is_finite());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// The claim in `fence.rs`: if at most a hundredth of N samples, and at least one, is arbitrary, the learned
    /// scale is between three quarters and 1.3 times the scale of the others.
    #[test]
    fn a_hundredth_of_arbitrary_samples_hardly_moves_the_scale(
        samples in 50_u64..900,
        places in proptest::collection::vec((any::<u32>(), any::<f64>(), any::<f64>()), 1..9),
    ) {
        let allowed = usize::try_from((samples / 100).max(1)).unwrap();
        let finite = |x: f64| if x.is_finite() { x } else { 1e300 };
        let wild: std::collections::BTreeMap<u64, [f64; 2]> = places
            .iter()
            .take(allowed)
            .map(|(at, a, b)| (u64::from(*at) % samples, [finite(*a), finite(*b)]))
            .collect();
        let (_, clean) = learned(samples, |_| None);
        let (_, model) = learned(samples, |n| wild.get(&n).copied());
        is_as(&clean, &model, samples);
    }

    #[test]
    fn whatever_is_watched_the_state_stays_finite(
        samples in proptest::collection::vec(any::<(f64, f64)>(), 1..60),
    ) {
        let (mut w, _) = learned(60, |_| None);
        for (n, (a, b)) in samples.into_iter().enumerate() {
            w.sample(at(100 + u64::try_from(n).unwrap()), &[a, b]);
            let distance = w.distance.iter().flat_map(|d| d.deviations.iter().chain(&d.shares).chain([&d.strength]));
            prop_assert!(distance.into_iter().all(|x| x.is_finite()), "{:?}", w.distance);
            prop_assert!(w.smooth.iter().flat_map(|s| s.scales.iter().flatten()).all(|x| x.is_finite()));
        }
    }
}
