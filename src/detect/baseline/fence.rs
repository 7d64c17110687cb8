//! Fences: how far from the median a learned sample may lie before it is drawn in.
//!
//! One sample in a hundred may be anything (a broken telegram, a switch-on spike, a meter's "no value") and must not
//! move what is learned. All but the farthest hundredth of the samples say how far the samples usually lie from their
//! median; a sample beyond twice that distance counts as one at twice that distance. This is winsorising (Dixon and
//! Tukey 1968) at fences taken from an outer letter value (Hoaglin, Mosteller and Tukey 1983) instead of the
//! quartiles: a machine that stands for most of the time and runs for a tenth of it has two levels, and both are
//! normal. For a normal distribution the fence lies at about five standard deviations, so clean data stays as it is.
//! Test: `a_hundredth_of_arbitrary_samples_hardly_moves_the_scale`.

/// One sample of so many may be arbitrary; at least one may.
const ARBITRARY_IN: usize = 100;
/// The fence, in distances that all but the farthest samples keep.
const FENCE: f64 = 2.0;

/// What one point usually is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fence {
    /// The median.
    pub centre: f64,
    /// How far from it a sample counts.
    pub reach: f64,
}

impl Fence {
    /// The fence of one point's samples; 0 around 0 of none.
    pub fn of(column: &mut [f64]) -> Self {
        let centre = median(column);
        column.iter_mut().for_each(|x| *x = (*x - centre).abs());
        let kept = column.len().saturating_sub(1 + (column.len() / ARBITRARY_IN).max(1));
        let distance = ordered(column, kept).unwrap_or(0.0);
        Self { centre, reach: distance * FENCE }
    }

    /// The fences of rows of so many points.
    pub fn of_rows(rows: &[f64], points: usize) -> Vec<Self> {
        let column = |j: usize| rows.iter().skip(j).step_by(points).copied().collect::<Vec<_>>();
        (0..points).map(|j| Self::of(&mut column(j))).collect()
    }

    /// The sample, or where the fence is.
    pub fn draw_in(self, x: f64) -> f64 {
        x.max(self.centre - self.reach).min(self.centre + self.reach)
    }

    /// The standard deviation of samples within the fence. Squares are taken of parts of the reach, which cannot
    /// overflow.
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

/// The value at a place of the values in their order.
fn ordered(values: &mut [f64], at: usize) -> Option<f64> {
    (at < values.len()).then(|| *values.select_nth_unstable_by(at, f64::total_cmp).1)
}

/// The median; of an even number of values the middle between the two, which cannot overflow.
fn median(values: &mut [f64]) -> f64 {
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
