//! Scans a broker: lists the topics and Sparkplug nodes, and the profiles that fit the topics.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::render::{Sheet, heading, progress};
use crate::client::Client;
use crate::profile::{Place, Profile, Protocol, load, quoted};
use crate::v1::HeardV1;
use crate::words::{Outcome, ProfileName};

#[derive(Debug, Serialize)]
struct Found {
    topic: String,
    sample: String,
    messages: u64,
    retained: bool,
}

#[derive(Debug, PartialEq, Serialize)]
struct Proposal {
    profile: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sparkplug: Option<String>,
    points: usize,
}

#[derive(Debug, Serialize)]
struct Report {
    topics: Vec<Found>,
    proposals: Vec<Proposal>,
}

pub(super) async fn scan(cx: &mut Context<'_>, link: &str, seconds: u64) -> Result<Outcome, CliError> {
    progress(&format!("listening for {seconds} s"));
    let path = format!("{}?seconds={seconds}", Client::path("/v1/links/{}/heard", &[link]));
    let heard: Vec<HeardV1> = cx.get(&path).await?;
    progress("");
    let files = cx.program.profiles(&cx.config());
    let profiles: Vec<Profile> = files
        .names()
        .into_iter()
        .filter_map(|name| {
            let name = ProfileName::parse(&name).ok()?;
            load(&name, &files.text(&name)?).0
        })
        .collect();
    let topics: Vec<&str> = heard.iter().map(|h| h.topic.as_str()).collect();
    let mut proposals = by_topic(&topics, &profiles);
    proposals.extend(sparkplug(&topics));
    let report = Report {
        topics: heard
            .into_iter()
            .map(|h| Found { topic: h.topic, sample: h.sample, messages: h.messages, retained: h.retained })
            .collect(),
        proposals,
    };
    show(cx, link, &report)
}

/// Proposes equipment for each profile with `{topic}` in its topics. The profile with the most points on a topic wins.
fn by_topic(topics: &[&str], profiles: &[Profile]) -> Vec<Proposal> {
    let mut out = Vec::new();
    for profile in profiles.iter().filter(|p| p.protocol() == Protocol::Mqtt) {
        let mut bases: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for point in &profile.points {
            let Place::Topic { filter, .. } = &point.place else { continue };
            let Some((front, back)) = filter.split_once("{topic}") else { continue };
            for topic in topics {
                let base = topic.strip_prefix(front).and_then(|t| t.strip_suffix(back));
                if let Some(base) = base.filter(|b| !b.is_empty() && !b.contains('/')) {
                    bases.entry(base).or_default().insert(point.name.as_str());
                }
            }
        }
        out.extend(bases.into_iter().map(|(base, points)| Proposal {
            profile: profile.name.to_string(),
            topic: Some(base.to_owned()),
            sparkplug: None,
            points: points.len(),
        }));
    }
    // If several profiles fit a device, keep the profile that reads the most points.
    out.sort_by(|a, b| (&a.topic, b.points).cmp(&(&b.topic, a.points)));
    out.dedup_by(|a, b| a.topic == b.topic);
    out
}

/// Proposes each Sparkplug node and device once. Their topics are `spBv1.0/GROUP/TYPE/NODE[/DEVICE]`.
fn sparkplug(topics: &[&str]) -> Vec<Proposal> {
    let mut ids = BTreeSet::new();
    for topic in topics {
        match topic.split('/').collect::<Vec<_>>().as_slice() {
            ["spBv1.0", group, kind, node] if kind.starts_with('N') => {
                ids.insert(format!("{group}/{node}"));
            }
            ["spBv1.0", group, kind, node, device] if kind.starts_with('D') => {
                ids.insert(format!("{group}/{node}/{device}"));
            }
            _ => {}
        }
    }
    let none = String::new;
    ids.into_iter()
        .map(|id| Proposal { profile: none(), topic: None, sparkplug: Some(id), points: 0 })
        .collect()
}

fn show(cx: &Context<'_>, link: &str, report: &Report) -> Result<Outcome, CliError> {
    let outcome = if report.topics.is_empty() { Outcome::Negative } else { Outcome::Done };
    let mut sheet = Sheet::new(&["topic", "messages", "retained", "payload"]);
    for f in &report.topics {
        let retained = if f.retained { "yes" } else { "" };
        sheet.row([f.topic.clone(), f.messages.to_string(), retained.to_owned(), f.sample.clone()]);
    }
    cx.list(&report, &sheet, "No message was received. Listen longer: --seconds N")?;
    if cx.global.json || cx.global.is_csv() || report.proposals.is_empty() {
        return Ok(outcome);
    }
    cx.print(&format!("\n{}", heading("To paste into andon.toml")))?;
    for p in &report.proposals {
        let (id, place) = match (&p.topic, &p.sparkplug) {
            (Some(topic), _) => (topic, format!("topic = {}", quoted(topic))),
            (None, Some(id)) => (id, format!("sparkplug = {}", quoted(id))),
            (None, None) => continue,
        };
        let clean = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        let id: String = id.chars().map(clean).collect();
        let profile = if p.profile.is_empty() {
            "profile = \"\"  # write the name of a profile with the metrics of this node".to_owned()
        } else {
            format!("profile = \"{}\"", p.profile)
        };
        cx.print(&format!("[[equipment]]\nid = \"{id}\"\n{profile}\nlink = \"{link}\"\n{place}\n\n"))?;
    }
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::built_in;

    #[test]
    fn topics_and_nodes_become_proposals() {
        let name = ProfileName::parse("tasmota-energy").unwrap();
        let profile = load(&name, &built_in(&name).unwrap()).0.unwrap();
        let topics =
            ["tele/plug1/SENSOR", "tele/plug1/STATE", "stat/plug2/POWER", "other/plug3", "tele/a/b/SENSOR"];
        let found: Vec<_> =
            by_topic(&topics, &[profile]).into_iter().map(|p| (p.topic.unwrap(), p.points)).collect();
        assert_eq!(found, [("plug1".to_owned(), 13), ("plug2".to_owned(), 1)]);
        let topics =
            ["spBv1.0/plant/NBIRTH/press", "spBv1.0/plant/DDATA/press/pump", "spBv1.0/STATE/host", "x/y/z/w"];
        let found: Vec<_> = sparkplug(&topics).into_iter().map(|p| p.sparkplug.unwrap()).collect();
        assert_eq!(found, ["plant/press", "plant/press/pump"]);
        assert_eq!(
            quoted("a\"\n[[link]]\u{202e}\\"),
            "\"a\\\" [[link]] \\\\\"",
            "a topic stays within its quotes"
        );
    }
}
