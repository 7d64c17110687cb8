//! The reference after an excursion: between where it was before and where the excursion left the points.

use super::smooth::Smooth;

/// So many samples after an excursion's end the reference may go back.
const BACK_SAMPLES: u32 = 20;
/// By this part of the deviation at each of them.
const BACK_WEIGHT: f64 = 0.1;

/// A reference that may yet go back.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct After {
    before: Vec<f64>,
    left_at: Vec<f64>,
    samples: u32,
}

impl After {
    /// The reference takes over what is left.
    pub fn an_excursion(reference: &mut [f64], smooth: &mut Smooth) -> Self {
        let before = reference.to_vec();
        reference.iter_mut().zip(smooth.take_out()).for_each(|(r, s)| *r += s);
        Self { before, left_at: reference.to_vec(), samples: 0 }
    }

    /// Lets the reference go back where the points do. Returns whether that is over.
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
