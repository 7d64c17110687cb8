//! The course of a simulated quantity over time. It is a pure function: the same seed and time give the same value.

use std::time::Duration;

/// A waveform between two values, with noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wave {
    /// The shape.
    pub shape: WaveShape,
    /// The start value, or the low value.
    pub from: f64,
    /// The end value, or the high value.
    pub to: f64,
    /// The duration of one period.
    pub period: Duration,
    /// The largest deviation by noise.
    pub noise: f64,
}

/// The shape of a wave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaveShape {
    /// Stays at `from`.
    Constant,
    /// Oscillates between `from` and `to`, and begins in the middle.
    Sine,
    /// Moves from `from` to `to` once and stays there.
    Ramp,
    /// Moves from `from` to `to` and begins again.
    Saw,
    /// `from` for half a period, `to` for the other half.
    Square,
}

impl WaveShape {
    /// The words for the shapes in a plant's file.
    pub const WORDS: [(&'static str, WaveShape); 5] = [
        ("constant", WaveShape::Constant),
        ("sine", WaveShape::Sine),
        ("ramp", WaveShape::Ramp),
        ("saw", WaveShape::Saw),
        ("square", WaveShape::Square),
    ];
}

impl Wave {
    /// A quantity that does not change.
    #[must_use]
    pub fn constant(value: f64) -> Self {
        Self {
            shape: WaveShape::Constant,
            from: value,
            to: value,
            period: Duration::from_secs(1),
            noise: 0.0,
        }
    }

    /// The value at a time since the wave began. `seed` selects the noise.
    #[must_use]
    pub fn at(&self, since: Duration, seed: u64) -> f64 {
        let period = self.period.as_secs_f64().max(1e-3);
        let run = since.as_secs_f64() / period;
        let share = match self.shape {
            WaveShape::Constant => 0.0,
            WaveShape::Sine => 0.5 + 0.5 * (run * std::f64::consts::TAU).sin(),
            WaveShape::Ramp => run.min(1.0),
            WaveShape::Saw => run.fract(),
            WaveShape::Square => f64::from(u8::from(run.fract() >= 0.5)),
        };
        self.from + (self.to - self.from) * share + self.noise * noise(seed, since)
    }
}

/// Noise between -1 and 1 that changes every 100 ms (splitmix64).
fn noise(seed: u64, since: Duration) -> f64 {
    let slot = u64::try_from(since.as_millis() / 100).unwrap_or(0);
    let mut z = seed ^ slot.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    let bits = u32::try_from((z ^ z >> 31) >> 32).unwrap_or(0);
    f64::from(bits) / f64::from(u32::MAX) * 2.0 - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(shape: WaveShape, seconds: f64, expected: f64) {
        let wave = Wave { shape, from: 10.0, to: 20.0, period: Duration::from_secs(4), noise: 0.0 };
        let found = wave.at(Duration::from_secs_f64(seconds), 1);
        assert!((found - expected).abs() < 1e-9, "{shape:?} at {seconds}: {found}");
    }

    #[test]
    fn waves_run() {
        check(WaveShape::Constant, 3.0, 10.0);
        check(WaveShape::Sine, 1.0, 20.0);
        check(WaveShape::Sine, 3.0, 10.0);
        check(WaveShape::Ramp, 2.0, 15.0);
        check(WaveShape::Ramp, 9.0, 20.0);
        check(WaveShape::Saw, 5.0, 12.5);
        check(WaveShape::Square, 3.0, 20.0);
    }

    #[test]
    fn noise_is_bounded_and_repeats() {
        let wave = Wave { noise: 0.5, ..Wave::constant(1.0) };
        let values: Vec<f64> = (0..100).map(|i| wave.at(Duration::from_millis(i * 100), 7)).collect();
        assert!(values.iter().all(|v| (0.5..=1.5).contains(v)));
        assert!(values.iter().any(|v| (v - 1.0).abs() > 0.25));
        assert_eq!(
            wave.at(Duration::from_millis(250), 7).to_bits(),
            wave.at(Duration::from_millis(280), 7).to_bits()
        );
    }
}
