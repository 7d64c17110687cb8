//! `andon guide [TOPIC]`: prints a page of the manual. The manual is in the binary, because many gateways have no internet.

use super::context::Context;
use super::error::CliError;
use super::render::{Sheet, plural};
use crate::source::suggest;
use crate::words::{Outcome, Rule};

/// The pages: name, subject and text.
const PAGES: [(&str, &str, &str); 10] = [
    ("start", "how to set up a gateway", include_str!("../guide/start.md")),
    ("profiles", "how to describe a device", include_str!("../guide/profiles.md")),
    ("expressions", "conditions, functions over time, delays", include_str!("../guide/expressions.md")),
    ("tuning", "how to test a profile on recorded readings", include_str!("../guide/tuning.md")),
    ("baselines", "learned normal behaviour, and its excursions", include_str!("../guide/baselines.md")),
    (
        "alarms",
        "states, suppression, floods, behaviour under bad conditions",
        include_str!("../guide/alarms.md"),
    ),
    ("tickets", "ticket states, commands, and the journal", include_str!("../guide/tickets.md")),
    (
        "wires",
        "scan for devices, commissioning, captures, writing, reload",
        include_str!("../guide/wires.md"),
    ),
    ("firmware", "firmware versions and their known issues", include_str!("../guide/firmware.md")),
    ("sim", "simulated equipment", include_str!("../guide/sim.md")),
];

/// The pages that andon generates from its own tables: name and subject.
const TABLES: [(&str, &str); 2] =
    [("rules", "every rule that can refuse a command"), ("exit-codes", "the exit codes of commands")];

/// `andon guide [TOPIC]`
#[derive(Debug, clap::Args)]
pub struct GuideArgs {
    /// Page to print: start, profiles, expressions, tuning, baselines, alarms, tickets, wires, firmware, sim, rules or exit-codes [default: the list of pages]
    pub topic: Option<String>,
}

pub(super) fn run(cx: &Context<'_>, args: &GuideArgs) -> Result<Outcome, CliError> {
    let Some(topic) = &args.topic else {
        cx.print(&topics())?;
        return Ok(Outcome::Done);
    };
    let text = match topic.as_str() {
        "rules" => rules(),
        "exit-codes" => exit_codes(),
        other => {
            let page = PAGES.iter().find(|(name, ..)| *name == other);
            page.map(|(.., text)| (*text).to_owned()).ok_or_else(|| unknown(other))?
        }
    };
    cx.print(&text)?;
    Ok(Outcome::Done)
}

fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
    PAGES.iter().map(|(name, about, _)| (*name, *about)).chain(TABLES)
}

fn topics() -> String {
    let mut text = format!("andon guide TOPIC prints one of {}:\n\n", plural(names().count(), "page"));
    for (name, about) in names() {
        text.push_str(&format!("  {name:<14}{about}\n"));
    }
    text
}

fn unknown(topic: &str) -> CliError {
    let help = suggest(topic, names().map(|(name, _)| name)).or("andon guide lists the pages");
    CliError::Other(Outcome::NoSuchThing, format!("there is no page {topic}; {help}"))
}

fn rules() -> String {
    let mut sheet = Sheet::new(&["rule", "meaning", "exit_code"]);
    for rule in Rule::ALL {
        sheet.row([
            rule.code().to_owned(),
            rule.meaning().to_owned(),
            rule.outcome().exit_code().to_string(),
        ]);
    }
    sheet.table()
}

fn exit_codes() -> String {
    let mut sheet = Sheet::new(&["exit_code", "meaning"]);
    for outcome in Outcome::ALL {
        sheet.row([outcome.exit_code().to_string(), outcome.meaning().to_owned()]);
    }
    sheet.table()
}
