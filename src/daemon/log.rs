//! The log: one line on standard error for each record of andon and of its libraries, with time and level.
//!
//! Modules write records with the macros of `tracing`. Only the program installs a subscriber for its process. Several
//! gateways in one test process therefore share nothing. A test that reads records uses its own subscriber on its own
//! thread (`tracing::subscriber::with_default`).

use std::fmt::{self, Debug, Write};
use std::str::FromStr;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
use tracing_log::NormalizeEvent;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;

use crate::ambient::Clock;
use crate::limits;
use crate::words::shown;

#[cfg(test)]
mod tests;

/// The levels of the log: one for all areas, or one for each named area. An area is a module of andon (`andon::link`,
/// `andon::link::mqtt`) or another crate (`rumqttc`). Records of a lower level are not written.
#[derive(Debug, Clone)]
pub struct Levels(Targets);

impl Levels {
    /// The levels of a daemon: its own work, and errors of the ticket database's library. The libraries of the protocols are
    /// off, because they write a line for each bad frame; andon counts these frames itself.
    pub const DAEMON: &str = "andon=info,sled=error";

    /// Returns the levels of a single command and of the demo: warnings and errors of andon.
    #[must_use]
    pub fn quiet() -> Self {
        Self(Targets::new().with_target("andon", LevelFilter::WARN))
    }
}

impl FromStr for Levels {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut levels = Targets::new();
        for part in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
            levels = match part.split_once('=') {
                Some((area, level)) => levels.with_target(area.trim(), level_of(level.trim())?),
                None => levels.with_default(level_of(part)?),
            };
        }
        Ok(Self(levels))
    }
}

fn level_of(word: &str) -> Result<LevelFilter, String> {
    Ok(match word {
        "off" => LevelFilter::OFF,
        "error" => LevelFilter::ERROR,
        "warning" | "warn" => LevelFilter::WARN,
        "info" => LevelFilter::INFO,
        "debug" => LevelFilter::DEBUG,
        "trace" => LevelFilter::TRACE,
        _ => {
            return Err(format!(
                "\"{}\" is not a level; write LEVEL or AREA=LEVEL, where LEVEL is off, error, warning, info, debug or trace",
                shown(word)
            ));
        }
    })
}

/// Writes the log of this process to standard error from now on. Only the first call has an effect.
pub fn install(clock: Clock, levels: Levels) {
    if tracing::subscriber::set_global_default(subscriber(clock, levels, std::io::stderr)).is_ok() {
        // Takes the records of crates that use `log`. A process can have only one logger.
        let _installed = tracing_log::LogTracer::init();
    }
}

fn subscriber<W>(clock: Clock, Levels(targets): Levels, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // If the log cannot be written, the daemon continues. There is no place to report this.
    let layer = tracing_subscriber::fmt::layer().log_internal_errors(false).event_format(Line(clock));
    tracing_subscriber::registry().with(targets).with(layer.with_writer(writer))
}

/// The format of a line: `TIME level text`. A record of another crate has its area before the text.
struct Line(Clock);

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let of_log = event.normalized_metadata();
        let about = of_log.as_ref().unwrap_or_else(|| event.metadata());
        let mut text = Text::default();
        let is_own = about.target().split("::").next() == Some("andon");
        if !is_own {
            write!(text.0, "{}: ", about.target())?;
        }
        event.record(&mut text);
        let text = shown(&text.0);
        let end = text.char_indices().nth(limits::LOG_LINE_MAX).map_or(text.len(), |(at, _)| at);
        let kept = text.get(..end).unwrap_or_default();
        let mark = if end < text.len() { "..." } else { "" };
        writeln!(out, "{} {} {kept}{mark}", self.0.now().wall, word(*about.level()))
    }
}

fn word(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warning",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

/// The text of a record: its message, and its other fields as `name=value`.
#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing into a text cannot fail.
        let _written = match field.name() {
            "message" => write!(self.0, "{value:?}"),
            // These fields repeat the metadata of a record of `log`.
            name if name.starts_with("log.") => Ok(()),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}
