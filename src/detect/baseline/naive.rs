//! A second implementation of the evaluation, written directly from the formulas and over all learned rows at once.
//! It has no fences and no bounds of memory, and uses no code of the watcher. With data without extreme samples both
//! give the same results.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::needless_range_loop,
    reason = "small numbers of samples"
)]

use super::tests::{at, noise, spec};
use super::*;

/// All learned rows, and the state of the evaluation.
pub(super) struct Naive {
    n: f64,
    limit: f64,
    centre: Vec<f64>,
    deviation: Vec<f64>,
    pub reference: Vec<f64>,
    lengths: [f64; 3],
    scales: Vec<Scale>,
    pub widened: f64,
    stands: Option<f64>,
    against: u32,
    after: Option<(Vec<f64>, Vec<f64>, u32)>,
    pub strength: f64,
    pub widened_before: f64,
}

struct Scale {
    smooth: Vec<f64>,
    spread: Vec<f64>,
    of_t: Vec<Vec<f64>>,
    of_e: Vec<Vec<f64>>,
    pub limits: [f64; 3],
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

fn sorted(x: &[f64]) -> Vec<f64> {
    let mut x = x.to_vec();
    x.sort_by(f64::total_cmp);
    x
}

fn quantile(x: &[f64], q: f64) -> f64 {
    let (x, place) = (sorted(x), q * (x.len() - 1) as f64);
    let (low, part) = (place as usize, place.fract());
    x[low] + part * (x[(low + 1).min(x.len() - 1)] - x[low])
}

/// Gauss-Jordan elimination with the largest pivot.
fn inverse(m: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let p = m.len();
    let mut a: Vec<Vec<f64>> = (0..p)
        .map(|i| m[i].iter().copied().chain((0..p).map(|j| f64::from(u8::from(i == j)))).collect())
        .collect();
    for k in 0..p {
        let best = (k..p).max_by(|x, y| a[*x][k].abs().total_cmp(&a[*y][k].abs())).unwrap();
        a.swap(k, best);
        let pivot: Vec<f64> = a[k].iter().map(|x| x / a[k][k]).collect();
        for (i, row) in a.iter_mut().enumerate() {
            let by = row[k];
            for (x, y) in row.iter_mut().zip(&pivot) {
                *x = if i == k { *y } else { *x - by * y };
            }
        }
    }
    a.into_iter().map(|row| row[p..].to_vec()).collect()
}

impl Scale {
    fn statistics(&self, s: &[f64]) -> [f64; 3] {
        let p = s.len();
        let v: Vec<f64> = (0..p).map(|j| (s[j] / self.spread[j]).clamp(-20.0, 20.0)).collect();
        let (mut t, mut e, mut m) = (0.0, 0.0, 0.0_f64);
        for i in 0..p {
            t += v[i] * (0..p).map(|j| self.of_t[i][j] * v[j]).sum::<f64>();
            e += ((0..p).map(|j| self.of_e[i][j] * v[j]).sum::<f64>() / self.of_e[i][i].sqrt()).powi(2);
            m = m.max(v[i] * v[i]);
        }
        [t, e, m]
    }

    fn distance(&self) -> f64 {
        let [t, e, m] = self.statistics(&self.smooth);
        let [of_t, of_e, of_m] = self.limits;
        if self.smooth.len() == 1 { t / of_t } else { (t / of_t).max(e / (2.5 * of_e)).max(m / of_m) }
    }
}

impl Naive {
    pub fn learn(rows: &[Vec<f64>], smooth: f64, limit: f64) -> Self {
        let (n, p) = (rows.len(), rows[0].len());
        let column = |j: usize| rows.iter().map(|r| r[j]).collect::<Vec<f64>>();
        let centre: Vec<f64> = (0..p).map(|j| quantile(&column(j), 0.5)).collect();
        let deviation: Vec<f64> = (0..p)
            .map(|j| {
                let (x, m) = (column(j), mean(&column(j)));
                mean(&x.iter().map(|x| (x - m) * (x - m)).collect::<Vec<_>>())
                    .sqrt()
                    .max(centre[j].abs() * 1e-6)
                    .max(1e-9)
            })
            .collect();
        let lengths = [smooth, 3.0 * smooth, 9.0 * smooth];
        let mut r: Vec<f64> = (0..p).map(|j| mean(&sorted(&column(j)[..20])[2..18])).collect();
        let mut s = vec![vec![0.0; p]; 3];
        let mut kept: Vec<Vec<Vec<f64>>> = vec![Vec::new(); 3];
        for row in rows {
            let o: Vec<f64> = (0..p).map(|j| row[j] - r[j]).collect();
            for k in 0..3 {
                for j in 0..p {
                    s[k][j] += (o[j] - s[k][j]) / lengths[k];
                }
                kept[k].push((0..p).map(|j| s[k][j] / deviation[j]).collect());
            }
            for j in 0..p {
                r[j] += o[j] * 4.0 / n as f64;
            }
        }
        let length = n / 16;
        let stretch = |at: usize, j: usize| {
            (mean(&column(j)[at * length..(at + 1) * length]) - centre[j]) / deviation[j]
        };
        let means: Vec<Vec<f64>> =
            (0..n / length).map(|at| (0..p).map(|j| stretch(at, j)).collect()).collect();
        let middle = |j: usize| mean(&means.iter().map(|m| m[j]).collect::<Vec<_>>());
        let wander = |i: usize, j: usize| {
            let sum: f64 = means.iter().map(|m| (m[i] - middle(i)) * (m[j] - middle(j))).sum();
            4.0 * sum / (means.len() - 1) as f64
        };
        let scales = (0..3)
            .map(|k| {
                let rows = &kept[k][((3.0 * lengths[k]) as usize).min(n / 4)..];
                let cell = |i: usize, j: usize| {
                    mean(&rows.iter().map(|s| s[i] * s[j]).collect::<Vec<_>>()) + wander(i, j)
                };
                let spread: Vec<f64> = (0..p).map(|j| cell(j, j).max(0.01).sqrt()).collect();
                let shrunk = |by: f64| -> Vec<Vec<f64>> {
                    let of = |i: usize, j: usize| (1.0 - by) * cell(i, j) / (spread[i] * spread[j]);
                    (0..p).map(|i| (0..p).map(|j| if i == j { 1.0 } else { of(i, j) }).collect()).collect()
                };
                let mut scale = Scale {
                    smooth: (0..p).map(|j| s[k][j] / deviation[j]).collect(),
                    of_t: inverse(&shrunk(0.8)),
                    of_e: inverse(&shrunk(0.2)),
                    spread,
                    limits: [1.0; 3],
                };
                let all: Vec<[f64; 3]> = rows.iter().map(|s| scale.statistics(s)).collect();
                scale.limits =
                    [0, 1, 2].map(|i| quantile(&all.iter().map(|x| x[i]).collect::<Vec<_>>(), 0.95));
                scale
            })
            .collect();
        let reference = (0..p).map(|j| (r[j] - centre[j]) / deviation[j]).collect();
        let (n, stands, against, after) = (n as f64, None, 0, None);
        Self {
            n,
            limit,
            centre,
            deviation,
            reference,
            lengths,
            scales,
            widened: 0.0,
            widened_before: 0.0,
            stands,
            against,
            after,
            strength: 0.0,
        }
    }

    /// The limits of the three statistics, for each scale.
    pub fn limits(&self) -> Vec<[f64; 3]> {
        self.scales.iter().map(|s| s.limits).collect()
    }

    pub fn watch(&mut self, row: &[f64]) -> bool {
        let p = row.len();
        let o: Vec<f64> =
            (0..p).map(|j| (row[j] - self.centre[j]) / self.deviation[j] - self.reference[j]).collect();
        let wider = [1.0, 1.75, 1.75];
        for ((scale, length), wider) in self.scales.iter_mut().zip(self.lengths).zip(wider) {
            for j in 0..p {
                // The largest effect of a single sample: after two more samples it is half of the limit of the
                // largest deviation.
                let half = 0.5 * (self.limit * wider * scale.limits[2]).sqrt() * scale.spread[j];
                let most = half * length / (1.0 - 1.0 / length).powi(2);
                scale.smooth[j] += (o[j].clamp(-most, most) - scale.smooth[j]) / length;
            }
        }
        let distance = self.scales.iter().zip(wider).map(|(s, w)| s.distance() / w).fold(0.0, f64::max);
        self.strength = distance / self.limit / self.widened.exp();
        if let Some(height) = &mut self.stands {
            *height += 0.1 * (self.strength - *height).max(0.0);
            let is_below = self.strength < 0.5_f64.max(0.3 * *height);
            self.against = if is_below { self.against + 1 } else { 0 };
            if self.against == 2 {
                let before = self.reference.clone();
                for j in 0..p {
                    self.reference[j] += self.scales[0].smooth[j];
                    self.scales.iter_mut().for_each(|s| s.smooth[j] = 0.0);
                }
                (self.stands, self.against) = (None, 0);
                self.after = Some((before, self.reference.clone(), 20));
            }
        } else {
            if let Some((before, left_at, more)) = &mut self.after {
                for j in 0..p {
                    let (low, high) = (before[j].min(left_at[j]), before[j].max(left_at[j]));
                    let step = (self.reference[j] + 0.1 * o[j]).clamp(low, high) - self.reference[j];
                    self.reference[j] += step;
                    self.scales.iter_mut().for_each(|s| s.smooth[j] -= step);
                }
                *more -= 1;
                let is_over = *more == 0;
                self.after.take_if(|_| is_over);
            } else {
                for j in 0..p {
                    self.reference[j] += 4.0 / self.n * o[j].clamp(-2.0, 2.0);
                }
            }
            self.against = if self.strength > 1.0 { self.against + 1 } else { 0 };
            if self.against == 3 {
                (self.stands, self.after, self.against) = (Some(self.strength), None, 0);
            }
        }
        let beyond = f64::from(u8::from(self.strength > 1.0));
        self.widened_before = self.widened;
        self.widened = (self.widened + 0.5 / self.n * (beyond - 0.02)).clamp(0.0, 3.0_f64.ln());
        self.stands.is_some()
    }
}

/// Points that move together, drift, and have noise of their own.
fn plant(n: u64, points: u64) -> Vec<f64> {
    let common = noise(n + 5_000_000) + (n as f64 / 70.0).sin();
    (0..points).map(|j| 20.0 * j as f64 + common + (1.0 + j as f64 / 4.0) * noise(n * 16 + j)).collect()
}

#[test]
fn the_judgement_is_that_of_the_formulas() {
    for (points, samples) in [(1, 50), (1, 400), (2, 60), (3, 150), (8, 400), (16, 500)] {
        let rows: Vec<Vec<f64>> = (0..samples).map(|n| plant(n, points)).collect();
        let mut naive = Naive::learn(&rows, 2.0, 3.0);
        let mut w = Watcher::new(&spec(usize::try_from(points).unwrap(), Learn::Samples(samples)));
        let mut learned = None;
        for (n, row) in (0..).zip(&rows) {
            learned = w.sample(at(n), row);
        }
        let Some(BaselineChange::Learned(model)) = learned else { panic!("{learned:?}") };
        let limits = |t2: Finite, error: Finite, most: Finite| [t2.get(), error.get(), most.get()];
        let longer = model.longer.iter().map(|l| limits(l.t2, l.error, l.most));
        let all: Vec<_> =
            [limits(model.t2, model.error, model.most.unwrap())].into_iter().chain(longer).collect();
        for (ours, theirs) in all.iter().flatten().zip(naive.limits().iter().flatten()) {
            assert!((ours / theirs - 1.0).abs() < 1e-9, "{points} points: {all:?}, {:?}", naive.limits());
        }
        let (mut raised, mut ended) = (0, 0);
        for n in samples..samples + 1500 {
            let mut row = plant(n, points);
            row[0] += if n % 500 > 450 { 3.0 } else { 0.0 };
            let was = w.is_excursion();
            w.sample(at(n), &row);
            let stands = naive.watch(&row);
            assert_eq!(w.is_excursion(), Some(stands), "{points} points, sample {n}");
            let WatcherPhase::Watching(judge) = &w.phase else { panic!("it watches") };
            let strength = w.distance.as_ref().unwrap().strength / 3.0 / judge.widened.exp();
            // The parts that learn from `strength` come after it.
            assert!((judge.widened - naive.widened).abs() < 1e-9, "{points} points, sample {n}");
            let before = naive.strength * (naive.widened_before - naive.widened).exp();
            assert!(
                (strength - before).abs() < 1e-7 * strength.max(1.0),
                "{points} points, sample {n}: {strength} {before}"
            );
            for (ours, theirs) in judge.reference.iter().zip(&naive.reference) {
                assert!((ours - theirs).abs() < 1e-7, "{points} points, sample {n}: {ours} {theirs}");
            }
            raised += u32::from(was == Some(false) && stands);
            ended += u32::from(was == Some(true) && !stands);
        }
        assert!(raised >= 1 && ended >= 1, "{points} points: {raised} excursions, {ended} ended");
    }
}
