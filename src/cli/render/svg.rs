//! Draws the trace of a ticket as SVG for a report: one panel for each point, with the onset and the limits.

use std::fmt::Write;

use super::screen::in_line;
use crate::v1::{SampleV1, TraceSeriesV1, TraceV1};
use crate::words::{Wall, render_real};

const WIDTH: f64 = 900.0;
const LEFT: f64 = 90.0;
const PANEL: f64 = 150.0;
const GAP: f64 = 46.0;

/// Draws a trace. `time` formats a time for the labels.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "positions in a drawing")]
pub fn svg(trace: &TraceV1, time: &dyn Fn(Wall) -> String) -> String {
    let height = 40.0 + trace.series.len() as f64 * (PANEL + GAP);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"22\" font-size=\"14\">{}</text>\n",
        escaped(&format!(
            "Ticket {}: {} of {}, onset {}",
            trace.ticket,
            trace.fault,
            trace.equipment,
            time(trace.onset)
        ))
    );
    for (i, series) in trace.series.iter().enumerate() {
        panel(&mut out, trace, series, 40.0 + i as f64 * (PANEL + GAP), time);
    }
    out + "</svg>\n"
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of some minutes")]
fn panel(out: &mut String, trace: &TraceV1, series: &TraceSeriesV1, top: f64, time: &dyn Fn(Wall) -> String) {
    let span = (trace.until.millis() - trace.from.millis()).max(1) as f64;
    let x = |at: Wall| LEFT + (at.millis() - trace.from.millis()) as f64 / span * (WIDTH - LEFT - 10.0);
    let good = series.samples.iter().filter_map(|SampleV1(_, value)| *value);
    let all = good.chain(series.limits.iter().copied());
    let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    let (low, high) = if low < high { (low, high) } else { (low.min(0.0), low.max(0.0) + 1.0) };
    let y = |value: f64| top + (high - value) / (high - low) * PANEL;
    let bottom = top + PANEL;
    let right = WIDTH - 10.0;
    // Writing into a text cannot fail.
    let _written = write!(
        out,
        "<rect x=\"{LEFT}\" y=\"{top}\" width=\"{}\" height=\"{PANEL}\" fill=\"none\" stroke=\"#999\"/>\n\
         <text x=\"{LEFT}\" y=\"{}\">{}</text>\n\
         <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{} {}</text>\n\
         <text x=\"{}\" y=\"{bottom}\" text-anchor=\"end\">{}</text>\n\
         <text x=\"{LEFT}\" y=\"{}\" fill=\"#666\">{}</text>\n\
         <text x=\"{right}\" y=\"{}\" text-anchor=\"end\" fill=\"#666\">{}</text>\n",
        right - LEFT,
        top - 5.0,
        escaped(&series.point),
        LEFT - 6.0,
        top + 10.0,
        render_real(high),
        escaped(&series.unit),
        LEFT - 6.0,
        render_real(low),
        bottom + 14.0,
        escaped(&time(trace.from)),
        bottom + 14.0,
        escaped(&time(trace.until)),
    );
    for limit in &series.limits {
        let at = y(*limit);
        let _written = writeln!(
            out,
            "<line x1=\"{LEFT}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#b60\" stroke-dasharray=\"6 4\"/>"
        );
    }
    let onset = x(trace.onset);
    let _written = writeln!(
        out,
        "<line x1=\"{onset:.1}\" x2=\"{onset:.1}\" y1=\"{top}\" y2=\"{bottom}\" stroke=\"#c00\"/>"
    );
    for step in steps(&series.samples) {
        let mut path = String::new();
        for (i, (at, value)) in step.iter().enumerate() {
            let _written = match i {
                0 => write!(path, "M{:.1} {:.1}", x(*at), y(*value)),
                _ => write!(path, "H{:.1}V{:.1}", x(*at), y(*value)),
            };
        }
        let _written =
            writeln!(out, "<path d=\"{path}\" fill=\"none\" stroke=\"#036\" stroke-width=\"1.5\"/>");
    }
}

/// Splits the samples into runs of good samples; a bad sample ends a run.
fn steps(samples: &[SampleV1]) -> Vec<Vec<(Wall, f64)>> {
    let runs = samples.split(|SampleV1(_, value)| value.is_none());
    runs.filter(|run| !run.is_empty())
        .map(|run| run.iter().filter_map(|SampleV1(at, value)| Some((*at, (*value)?))).collect())
        .collect()
}

fn escaped(text: &str) -> String {
    in_line(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_has_the_curve_in_two_parts_the_limit_and_the_onset() {
        let at = |s: i64| Wall::from_millis(s * 1000);
        let trace = TraceV1 {
            ticket: 3,
            equipment: "press-7".to_owned(),
            fault: "a<b".to_owned(),
            onset: at(50),
            from: at(0),
            until: at(100),
            series: vec![TraceSeriesV1 {
                point: "x".to_owned(),
                unit: "bar".to_owned(),
                limits: vec![5.0],
                samples: vec![
                    SampleV1(at(0), Some(1.0)),
                    SampleV1(at(40), None),
                    SampleV1(at(60), Some(9.0)),
                ],
            }],
        };
        let text = svg(&trace, &|at| at.to_string());
        assert_eq!(text.matches("<path").count(), 2);
        assert_eq!(text.matches("stroke-dasharray").count(), 1);
        assert!(text.contains("<line x1=\"490.0\" x2=\"490.0\""), "{text}");
        assert!(text.contains("a&lt;b") && text.ends_with("</svg>\n"));
    }
}
