//! `andon equipment read ID --watch`: the live view for commissioning. Shows raw registers beside the decoded value and
//! beside the value in the other word order, so that a wrong word order is easy to see.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::render::{Sheet, heading, json_line};
use crate::client::Client;
use crate::profile::{Order, Point, Profile, decode};
use crate::v1::{PointV1, ReadingsV1};
use crate::words::Outcome;

/// Shows all points repeatedly, until Ctrl-C or until `times` readings were shown.
pub(super) async fn run(
    cx: &mut Context<'_>,
    id: &str,
    every: Duration,
    times: Option<u64>,
) -> Result<Outcome, CliError> {
    let path = format!("{}?fresh=true", Client::path("/v1/equipment/{}/readings", &[id]));
    let site = cx.site()?;
    let profile = site.find(id).map(|(_, e)| e.profile.clone());
    let mut before: BTreeMap<String, PointV1> = BTreeMap::new();
    let mut shown = 0;
    loop {
        let readings: ReadingsV1 = cx.get(&path).await?;
        if cx.global.json {
            let line =
                json_line(&readings).map_err(|e| CliError::Other(Outcome::OwnFailure, e.to_string()))?;
            cx.print(&format!("{line}\n"))?;
        } else {
            let sheet = sheet(profile.as_deref(), &readings, &before);
            // On a terminal each table replaces the previous table. In a file the tables follow each other.
            cx.clear()?;
            cx.print(&format!("{}{}\n", heading(&format!("{id}  (Ctrl-C to stop)")), sheet.table()))?;
        }
        shown += 1;
        if times.is_some_and(|times| shown >= times) {
            return Ok(Outcome::Done);
        }
        before = readings.points;
        tokio::time::sleep(every).await;
    }
}

fn sheet(profile: Option<&Profile>, readings: &ReadingsV1, before: &BTreeMap<String, PointV1>) -> Sheet {
    let mut sheet =
        Sheet::new(&["point", "raw", "value", "unit", "other_word_order", "quality", "changed", "reason"]);
    for (name, p) in &readings.points {
        let point = profile.and_then(|profile| profile.point(name)).map(|(_, point)| point);
        let changed = before.get(name).is_some_and(|b| b.value != p.value);
        sheet.row([
            name.clone(),
            p.raw.iter().map(|w| format!("{w:04X}")).collect::<Vec<_>>().join(" "),
            super::value(p),
            p.unit.clone(),
            point.map(|point| swapped(point, &p.raw)).unwrap_or_default(),
            p.quality.to_string(),
            if changed { "*".to_owned() } else { String::new() },
            p.reason.clone().unwrap_or_default(),
        ]);
    }
    sheet
}

/// Returns the value of a number in the other word order; an empty text if the number has only one register.
fn swapped(point: &Point, raw: &[u16]) -> String {
    if raw.len() < 2 || !point.kind.is_number() || point.scale_from.is_some() {
        return String::new();
    }
    let word_order = match point.word_order {
        Order::Big => Order::Little,
        Order::Little => Order::Big,
    };
    let other = Point { word_order, ..point.clone() };
    decode(&other, raw, None).map_or_else(|why| why.to_string(), |value| value.to_string())
}
