//! Draws a curve in a terminal: two by four dots per character, the scale at the left, the times below.

use crate::words::Wall;

/// The lines that are drawn besides the curve.
#[derive(Debug, Clone, Default)]
pub struct Marks {
    /// The time of a vertical line, for example of an onset.
    pub at: Option<Wall>,
    /// The values of horizontal lines, for example of limits.
    pub levels: Vec<f64>,
}

/// Height of the curve, in lines of the terminal.
const HEIGHT: usize = 10;
/// Width of the scale at the left, in characters.
const SCALE: usize = 12;

/// Draws samples between two times as steps: a value is valid until the next sample, and a bad sample is a gap.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positions in a terminal, limited on both sides"
)]
pub fn plot(
    samples: &[(Wall, Option<f64>)],
    (from, to): (Wall, Wall),
    unit: &str,
    marks: &Marks,
    time: &dyn Fn(Wall) -> String,
    width: u16,
) -> String {
    let columns = usize::from(width).saturating_sub(SCALE + 1).max(20);
    let (dots, rows) = (columns * 2, HEIGHT * 4);
    let span = (to.millis() - from.millis()).max(1) as f64;
    let place = |at: Wall| ((at.millis() - from.millis()) as f64 / span * dots as f64) as usize;
    // Keep the smallest and the largest value of each column of dots, so that no spike is lost.
    let mut bands: Vec<Option<(f64, f64)>> = vec![None; dots];
    for (i, (at, value)) in samples.iter().enumerate() {
        let Some(value) = value else { continue };
        let end = samples.get(i + 1).map_or(*at, |(next, _)| *next);
        let (first, last) = (place(*at).min(dots - 1), place(end).min(dots - 1));
        for band in bands.iter_mut().take(last + 1).skip(first) {
            let (low, high) = band.unwrap_or((*value, *value));
            *band = Some((low.min(*value), high.max(*value)));
        }
    }
    let all =
        bands.iter().flatten().flat_map(|(low, high)| [*low, *high]).chain(marks.levels.iter().copied());
    let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
    if low > high {
        return "no good reading\n".to_owned();
    }
    let room = if high > low { high - low } else { high.abs().max(1.0) };
    let (low, high) = if high > low { (low, high) } else { (low - room / 2.0, high + room / 2.0) };
    let row = |x: f64| (((high - x) / (high - low) * (rows - 1) as f64).round() as usize).min(rows - 1);
    let mut grid = vec![vec![0_u8; columns]; HEIGHT];
    let mut dot = |x: usize, y: usize| {
        const BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        let bit = BITS.get(y % 4).and_then(|r| r.get(x % 2)).copied().unwrap_or(0);
        if let Some(cell) = grid.get_mut(y / 4).and_then(|r| r.get_mut(x / 2)) {
            *cell |= bit;
        }
    };
    for (x, band) in bands.iter().enumerate() {
        let Some((least, most)) = band else { continue };
        (row(*most)..=row(*least)).for_each(|y| dot(x, y));
    }
    for level in &marks.levels {
        (0..dots).step_by(4).for_each(|x| dot(x, row(*level)));
    }
    let onset = marks.at.filter(|at| *at >= from && *at <= to).map(|at| place(at).min(dots - 1) / 2);
    let mut text = String::new();
    for (y, cells) in grid.iter().enumerate() {
        let value = high - (high - low) * y as f64 / (HEIGHT - 1) as f64;
        let label = match y {
            0 => format!("{} {unit}", short(value, high - low)),
            y if y == HEIGHT - 1 || y == HEIGHT / 2 => short(value, high - low),
            _ => String::new(),
        };
        let line: String =
            cells.iter().enumerate().map(|(x, cell)| dots_of(*cell, onset == Some(x))).collect();
        text.push_str(&format!("{label:>SCALE$} {}\n", line.trim_end()));
    }
    let (begin, end) = (time(from), time(to));
    let between = columns.saturating_sub(begin.chars().count() + end.chars().count());
    text.push_str(&format!("{:SCALE$} {begin}{:between$}{end}\n", "", ""));
    text
}

fn dots_of(cell: u8, is_onset: bool) -> char {
    match cell {
        0 if is_onset => '│',
        0 => ' ',
        dots => char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' '),
    }
}

/// Formats a number for a scale, with enough digits to distinguish the lines of this range.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 9")]
fn short(x: f64, range: f64) -> String {
    let digits = (2.0 - range.log10().floor()).clamp(0.0, 9.0) as usize;
    let text = format!("{x:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64) -> Wall {
        Wall::from_millis(s * 1000)
    }

    fn clock(at: Wall) -> String {
        format!("{}s", at.millis() / 1000)
    }

    #[test]
    fn a_step_with_a_gap_a_limit_and_an_onset() {
        let samples = [
            (at(0), Some(1.0)),
            (at(40), Some(3.0)),
            (at(60), None),
            (at(80), Some(1.0)),
            (at(100), Some(1.0)),
        ];
        let marks = Marks { at: Some(at(50)), levels: vec![2.0] };
        let text = plot(&samples, (at(0), at(100)), "bar", &marks, &clock, 53);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), HEIGHT + 1);
        assert!(lines[0].starts_with("       3 bar "), "{text}");
        assert!(lines[HEIGHT - 1].trim_start().starts_with("1 "), "{text}");
        assert!(lines[4].contains('│'), "{text}");
        assert!(lines[HEIGHT].ends_with("100s"), "{text}");
        // In the gap, from 60 to 80, only the limit is drawn.
        let gap: String = lines[HEIGHT - 1].chars().skip(SCALE + 1 + 26).take(5).collect();
        assert_eq!(gap.trim(), "", "{text}");
    }

    #[test]
    fn what_never_changed_and_what_never_was() {
        let flat = [(at(0), Some(5.0)), (at(100), Some(5.0))];
        assert!(plot(&flat, (at(0), at(100)), "", &Marks::default(), &clock, 80).contains("7.5"));
        let bad = [(at(0), None)];
        assert_eq!(plot(&bad, (at(0), at(100)), "", &Marks::default(), &clock, 80), "no good reading\n");
    }
}
