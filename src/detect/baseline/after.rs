//! The reference after an excursion: it lies between its value before the excursion and the value that the excursion
//! left.

use super::smooth::Smooth;

/// The number of samples after the end of an excursion in which the reference may move back.
const BACK_SAMPLES: u32 = 20;
/// The share of the deviation by which the reference moves back with each sample.
const BACK_WEIGHT: f64 = 0.1;

/// A reference that may still move back.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct AfterExcursion {
    before: Vec<f64>,
    left_at: Vec<f64>,
    samples: u32,
}

impl AfterExcursion {
    /// Sets the reference to the level that the excursion left.
    pub fn begin(reference: &mut [f64], smooth: &mut Smooth) -> Self {
        let before = reference.to_vec();
        reference.iter_mut().zip(smooth.take_out()).for_each(|(r, s)| *r += s);
        Self { before, left_at: reference.to_vec(), samples: 0 }
    }

    /// Lets the reference move back if the points do. Returns true when this phase is over.
    pub fn sample(&mut self, reference: &mut [f64], smooth: &mut Smooth, off: &[f64]) -> bool {
        let bounds = self.before.iter().zip(&self.left_at);
        for (j, ((r, o), (a, b))) in reference.iter_mut().zip(off).zip(bounds).enumerate() {
            let moved = (*r + BACK_WEIGHT * o).clamp(a.min(*b), a.max(*b)) - *r;
            *r += moved;
            smooth.take_off(j, moved);
        }
        self.samples += 1;
        self.samples >= BACK_SAMPLES
    }
}
