//! Several smoothings of the same numbers at once (Lucas and Saccucci 1990; Capizzi and Masarotto 2003): a short one
//! shows a large deviation at once, long ones show small deviations that last.

/// The scales, as multiples of `smooth`.
const SCALES: [f64; 3] = [1.0, 3.0, 9.0];

/// Over how many samples each scale smooths.
pub(super) fn lengths(smooth: f64) -> Vec<f64> {
    SCALES.iter().map(|scale| scale * smooth).collect()
}

/// What is smoothed: a vector for each scale.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Smooth {
    /// One vector a scale, the shortest first.
    pub scales: Vec<Vec<f64>>,
    /// Samples so far, where it began with the mean of its samples.
    mean_of: Option<f64>,
}

impl Smooth {
    /// Begins at these numbers on every scale.
    pub fn at(start: &[f64], scales: usize) -> Self {
        Self { scales: vec![start.to_vec(); scales], mean_of: None }
    }

    /// Begins with the mean of its first samples, until they are as many as a scale smooths over.
    pub fn by_mean(points: usize, scales: usize) -> Self {
        Self { mean_of: Some(0.0), ..Self::at(&vec![0.0; points], scales) }
    }

    /// Takes a sample: what it counts for is a matter of the scale and the point.
    pub fn take(&mut self, lengths: &[f64], counts: impl Fn(usize, usize) -> f64) {
        if let Some(n) = &mut self.mean_of {
            *n += 1.0;
        }
        for (k, (scale, length)) in self.scales.iter_mut().zip(lengths).enumerate() {
            let length = self.mean_of.map_or(*length, |n| n.min(*length));
            scale.iter_mut().enumerate().for_each(|(j, s)| *s += (counts(k, j) - *s) / length);
        }
    }

    /// Takes the same step off every scale: what they deviate from has moved by it.
    pub fn take_off(&mut self, point: usize, step: f64) {
        for s in self.scales.iter_mut().filter_map(|scale| scale.get_mut(point)) {
            *s -= step;
        }
    }

    /// The shortest scale; every scale begins again at zero.
    pub fn take_out(&mut self) -> Vec<f64> {
        let shortest = self.scales.first().cloned().unwrap_or_default();
        self.scales.iter_mut().flatten().for_each(|s| *s = 0.0);
        shortest
    }
}
