//! Fences limit the influence of extreme samples while a model is learned.
//!
//! One sample in a hundred may have any value (a corrupted telegram, a switch-on spike, a meter's mark for "no
//! value") and must not change the model. For each point, the farthest hundredth of the samples is ignored; the
//! largest distance of the others from their median is measured, and a sample beyond twice that distance counts as if
//! it were at twice that distance. This is winsorising (Dixon and Tukey 1968) with fences from an outer letter value
//! (Hoaglin, Mosteller and Tukey 1983) instead of the quartiles: a machine that runs for a tenth of the time has two
//! levels, and both are normal. For a normal distribution the fence lies at about five standard deviations, so clean
//! data is not changed. Test: `a_hundredth_of_arbitrary_samples_hardly_moves_the_scale`.

/// One sample in this many may have any value; at least one may.
const ARBITRARY_IN: usize = 100;
/// The distance of the fence, as a multiple of the largest distance of all but the farthest samples.
const FENCE: f64 = 2.0;

/// The usual range of one point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fence {
    /// The median, in the point's unit.
    pub centre: f64,
    /// The largest distance from the median that a sample can count for, in the point's unit.
    pub reach: f64,
}

impl Fence {
    /// The fence of one point's samples; 0 around 0 without samples.
    pub fn of(column: &mut [f64]) -> Self {
        let centre = median(column);
        column.iter_mut().for_each(|x| *x = (*x - centre).abs());
        let kept = column.len().saturating_sub(1 + (column.len() / ARBITRARY_IN).max(1));
        let distance = ordered(column, kept).unwrap_or(0.0);
        Self { centre, reach: distance * FENCE }
    }

    /// The fences of all points. `rows` has `points` numbers per row.
    pub fn of_rows(rows: &[f64], points: usize) -> Vec<Self> {
        let column = |j: usize| rows.iter().skip(j).step_by(points).copied().collect::<Vec<_>>();
        (0..points).map(|j| Self::of(&mut column(j))).collect()
    }

    /// Returns the sample, or the nearest fence if the sample is beyond it.
    pub fn draw_in(self, x: f64) -> f64 {
        x.max(self.centre - self.reach).min(self.centre + self.reach)
    }

    /// The standard deviation of the samples, each limited by the fence. The squares are taken of fractions of the
    /// reach, so they cannot overflow.
    #[expect(clippy::cast_precision_loss, reason = "at most a few thousand samples")]
    pub fn deviation(self, column: &[f64]) -> f64 {
        if self.reach <= 0.0 {
            return 0.0;
        }
        let part = |x: &f64| (self.draw_in(*x) - self.centre) / self.reach;
        let n = column.len().max(1) as f64;
        let mean = column.iter().map(part).sum::<f64>() / n;
        let variance = column.iter().map(|x| (part(x) - mean).powi(2)).sum::<f64>() / n;
        self.reach * variance.sqrt()
    }
}

/// The value at position `at` of the sorted values.
fn ordered(values: &mut [f64], at: usize) -> Option<f64> {
    (at < values.len()).then(|| *values.select_nth_unstable_by(at, f64::total_cmp).1)
}

/// The median. For an even number of values it is the middle of the two central values, computed without overflow.
pub(super) fn median(values: &mut [f64]) -> f64 {
    let half = values.len() / 2;
    let Some(upper) = ordered(values, half) else { return 0.0 };
    if values.len() % 2 == 1 {
        return upper;
    }
    let lower = values.iter().take(half).copied().max_by(f64::total_cmp).unwrap_or(upper);
    lower / 2.0 + upper / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_lies_in_the_middle() {
        for (mut values, middle) in [
            (vec![], 0.0),
            (vec![3.0], 3.0),
            (vec![3.0, 1.0, 2.0], 2.0),
            (vec![4.0, 1.0, 3.0, 2.0], 2.5),
            (vec![f64::MAX, f64::MIN], 0.0),
        ] {
            assert_eq!(median(&mut values).to_bits(), f64::to_bits(middle), "{values:?}");
        }
    }

    #[test]
    fn two_levels_are_both_within_the_fence() {
        let mut column: Vec<f64> = (0..1000).map(|n| if n % 20 == 0 { 80.0 } else { 20.0 }).collect();
        let fence = Fence::of(&mut column);
        assert_eq!((fence.draw_in(80.0), fence.draw_in(20.0)), (80.0, 20.0));
        assert!((fence.draw_in(1e300) - 140.0).abs() < 1e-9, "{fence:?}");
    }

    #[test]
    fn nothing_overflows() {
        let mut column = vec![f64::MAX, f64::MIN, 0.0, f64::MAX, f64::MIN];
        let fence = Fence::of(&mut column);
        for x in [f64::MAX, f64::MIN, 0.0] {
            assert!(fence.draw_in(x).is_finite(), "{fence:?}");
        }
        assert!(Fence::of(&mut [20.0, 21.0, 22.0, f64::MAX]).deviation(&[20.0, 21.0, 22.0, f64::MAX]) < 2.0);
    }
}
