//! Tests of the lines and the levels of the log.

use std::io;
use std::sync::{Arc, Mutex};

use super::*;
use crate::words::Wall;

/// A buffer for the lines of a log.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Paper {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Paper {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Returns the lines that a function writes at these levels, with the clock at a fixed time.
fn lines(levels: &str, work: impl FnOnce()) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(async {
        let clock = Clock::of_runtime(Wall::from_millis(1_800_000_000_000));
        let paper = Paper::default();
        let subscriber = subscriber(clock, levels.parse().unwrap(), paper.clone());
        tracing::subscriber::with_default(subscriber, work);
        paper.text()
    })
}

#[test]
fn a_line_has_time_level_and_text() {
    let text = lines(Levels::DAEMON, || {
        tracing::info!("ready");
        tracing::warn!(target: "andon::link", link = "line-1", tries = 3, "away");
        tracing::debug!("not told");
        tracing::error!(target: "sled", "a bad segment");
        tracing::error!(target: "rumqttc::state", "not told");
    });
    let at = "2027-01-15T08:00:00.000Z";
    assert_eq!(
        text,
        format!(
            "{at} info ready\n{at} warning away link=\"line-1\" tries=3\n{at} error sled: a bad segment\n"
        )
    );
}

#[test]
fn levels_are_set_by_area() {
    let told = |levels: &str| {
        let text = lines(levels, || {
            tracing::debug!(target: "andon::link::mqtt", "link");
            tracing::debug!(target: "andon::api", "api");
            tracing::info!(target: "andon::api", "api-info");
            tracing::debug!(target: "rumqttc", "wire");
        });
        text.lines().map(|l| l.rsplit(' ').next().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(told("info,andon::link=debug"), "link api-info");
    assert_eq!(told("debug, andon::api=warning"), "link wire");
    assert_eq!(told("andon::link=trace"), "link");
    assert_eq!(told("off"), "");
    assert_eq!(told(""), "");
}

#[test]
fn a_wrong_level_is_refused() {
    for text in ["inof", "info,andon::link", "andon=loud", "=\u{1b}"] {
        let why = Levels::from_str(text).unwrap_err();
        assert!(why.contains("is not a level") && !why.contains('\u{1b}'), "{text}: {why}");
    }
}

#[test]
fn text_from_outside_acts_on_no_terminal_and_a_line_is_bounded() {
    let text = lines("trace", || {
        tracing::warn!("device \u{1b}[2J says\n{}", "x".repeat(3 * limits::LOG_LINE_MAX));
        tracing::warn!(name = "\u{202e}\u{7}", "named");
    });
    assert!(text.contains("device \\u{1b}[2J says\\nxxx") && text.contains("\\u{202e}"), "{text}");
    assert!(!text.contains(|c: char| c != '\n' && crate::words::is_unshowable(c)));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].len() < limits::LOG_LINE_MAX + 50 && lines[0].ends_with("x..."));
}

#[test]
fn records_of_other_crates_come_by_the_same_way() {
    let text = lines("off,rumqttc=warning", || {
        let record = |level, target: &str| {
            let text = format_args!("packet {}", 7);
            let record = log::Record::builder().level(level).target(target).args(text).build();
            tracing_log::format_trace(&record).unwrap();
        };
        record(log::Level::Warn, "rumqttc::state");
        record(log::Level::Info, "rumqttc::state");
        record(log::Level::Error, "other");
    });
    assert_eq!(text, "2027-01-15T08:00:00.000Z warning rumqttc::state: packet 7\n");
}

#[test]
fn two_logs_of_one_process_do_not_meet() {
    let other = std::thread::spawn(|| lines("info", || tracing::info!("there")));
    let here = lines("info", || tracing::info!("here"));
    let there = other.join().unwrap();
    assert!(here.ends_with("info andon::daemon::log::tests: here\n") || here.ends_with("info here\n"));
    assert!(there.ends_with(" there\n") && !there.contains("here\n ") && here.lines().count() == 1);
}
