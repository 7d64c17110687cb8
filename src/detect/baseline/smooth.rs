//! Several smoothings of the same numbers at once (Lucas and Saccucci 1990; Capizzi and Masarotto 2003): a short one
//! shows a large deviation at once, long ones show small deviations that last.

/// The scales, as multiples of `smooth`.
const SCALES: [f64; 3] = [1.0, 3.0, 9.0];

/// The number of samples that each scale smooths over.
pub(super) fn lengths(smooth: f64) -> Vec<f64> {
    SCALES.iter().map(|scale| scale * smooth).collect()
}

/// The smoothed values: a vector for each scale.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Smooth {
    /// One vector for each scale, the shortest scale first.
    pub scales: Vec<Vec<f64>>,
    /// The number of samples so far, if the smoothing began with the mean of its samples; otherwise `None`.
    mean_of: Option<f64>,
}

impl Smooth {
    /// Begins at these numbers on every scale.
    pub fn at(start: &[f64], scales: usize) -> Self {
        Self { scales: vec![start.to_vec(); scales], mean_of: None }
    }

    /// Begins with the mean of the first samples, until their number reaches the length of a scale.
    pub fn by_mean(points: usize, scales: usize) -> Self {
        Self { mean_of: Some(0.0), ..Self::at(&vec![0.0; points], scales) }
    }

    /// Adds a sample. `counts` gives the value that it counts for, by scale and point.
    pub fn take(&mut self, lengths: &[f64], counts: impl Fn(usize, usize) -> f64) {
        if let Some(n) = &mut self.mean_of {
            *n += 1.0;
        }
        for (k, (scale, length)) in self.scales.iter_mut().zip(lengths).enumerate() {
            let length = self.mean_of.map_or(*length, |n| n.min(*length));
            scale.iter_mut().enumerate().for_each(|(j, s)| *s += (counts(k, j) - *s) / length);
        }
    }

    /// Subtracts the same step on every scale, because the reference of this point has moved by the step.
    pub fn take_off(&mut self, point: usize, step: f64) {
        for s in self.scales.iter_mut().filter_map(|scale| scale.get_mut(point)) {
            *s -= step;
        }
    }

    /// Returns the values of the shortest scale, and sets every scale to zero.
    pub fn take_out(&mut self) -> Vec<f64> {
        let shortest = self.scales.first().cloned().unwrap_or_default();
        self.scales.iter_mut().flatten().for_each(|s| *s = 0.0);
        shortest
    }
}
