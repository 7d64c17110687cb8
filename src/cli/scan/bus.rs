//! A Modbus line: which units answer, how they identify themselves, which profile reads best.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::ScanArgs;
use crate::api::v1::TriedV1;
use crate::cli::context::{Composition, Context};
use crate::cli::error::CliError;
use crate::cli::render::{Sheet, heading, plural, progress};
use crate::client::Client;
use crate::profile::{Area, Point, Profile, Protocol, decode, load};
use crate::site::Site;
use crate::words::{Outcome, Value};

/// Points of a profile that are read to see whether it fits.
const POINTS_TRIED: usize = 6;
/// Profiles within this share of the best read alike.
const ALIKE: f64 = 0.1;
/// From this share on a profile is proposed.
const FITS: f64 = 0.7;

#[derive(Debug, Serialize)]
struct Found {
    unit: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    baud: Option<u32>,
    answer: String,
    identification: BTreeMap<String, String>,
    profile: Option<String>,
    fit: Option<f64>,
    /// Others that read about as well: they look alike from here.
    also: Vec<String>,
}

/// One unit, asked with one read or another.
struct Asker<'c> {
    client: &'c mut Client,
    link: String,
    unit: u8,
    timeout: u64,
    known: BTreeMap<(Area, u16, u16), TriedV1>,
}

impl Asker<'_> {
    async fn ask(&mut self, query: &str) -> Result<TriedV1, CliError> {
        let path = Client::path("/v1/links/{}/try", &[&self.link]);
        let path = format!("{path}?unit={}&timeout_ms={}&{query}", self.unit, self.timeout);
        Ok(self.client.send(axum::http::Method::GET, &path, None, None).await?)
    }

    async fn read(&mut self, area: Area, start: u16, count: u16) -> Result<TriedV1, CliError> {
        if let Some(known) = self.known.get(&(area, start, count)) {
            return Ok(known.clone());
        }
        let query = format!("area={}&start={start}&count={count}", area.word());
        let answer = self.ask(&query).await?;
        self.known.insert((area, start, count), answer.clone());
        Ok(answer)
    }
}

pub(super) async fn scan<C: Composition>(
    cx: &mut Context<'_, C>,
    site: Arc<Site>,
    link: &str,
    args: &ScanArgs,
) -> Result<Outcome, CliError> {
    let data = cx.composition.data(&site, &cx.config(), cx.global.data.as_deref());
    let profiles = profiles(cx);
    let rates: Vec<Option<u32>> =
        if args.baud.is_empty() { vec![None] } else { args.baud.iter().copied().map(Some).collect() };
    let mut found = Vec::new();
    for baud in rates {
        let client = cx.composition.scanner(site.clone(), &data, link, baud).await;
        let mut client = client.map_err(|(outcome, text)| CliError::Other(outcome, text))?;
        for (done, unit) in args.units.0.iter().enumerate() {
            let at = baud.map_or(String::new(), |b| format!(" at {b} baud"));
            progress(&format!(
                "unit {unit}{at}: {done} of {} asked, {} found",
                args.units.0.len(),
                found.len()
            ));
            let known = BTreeMap::new();
            let mut asker = Asker {
                client: &mut client,
                link: link.to_owned(),
                unit: *unit,
                timeout: args.timeout,
                known,
            };
            let first = asker.read(Area::Holding, 0, 1).await?;
            if !first.answered {
                continue;
            }
            found.push(look(&mut asker, baud, &first, &profiles).await?);
        }
    }
    progress("");
    show(cx, link, &found)
}

fn profiles<C: Composition>(cx: &Context<'_, C>) -> Vec<Profile> {
    let files = cx.composition.profiles(&cx.config());
    let loaded = files.names().into_iter().filter_map(|name| {
        let name = crate::words::ProfileName::parse(&name).ok()?;
        load(&name, &files.text(&name)?).0
    });
    loaded.filter(|p| p.protocol() == Protocol::Modbus).collect()
}

async fn look(
    asker: &mut Asker<'_>,
    baud: Option<u32>,
    first: &TriedV1,
    profiles: &[Profile],
) -> Result<Found, CliError> {
    let identified = asker.ask("identify=true").await?;
    let mut fits: Vec<(f64, &Profile)> = Vec::new();
    for profile in profiles {
        let mut fit = fit(asker, profile).await?;
        let vendor = identified.identification.get("vendor").map_or("", String::as_str).to_lowercase();
        let maker = profile.device.vendor.to_lowercase();
        if !vendor.is_empty() && maker.split_whitespace().next().is_some_and(|word| vendor.contains(word)) {
            fit += 1.0;
        }
        if fit >= FITS {
            fits.push((fit, profile));
        }
    }
    let most = fits.iter().map(|(fit, _)| *fit).fold(0.0, f64::max);
    fits.retain(|(fit, _)| *fit >= most - ALIKE);
    // Of those that read alike the one with the most points: a lesser device refuses what it does not have.
    fits.sort_by_key(|(_, p)| std::cmp::Reverse(p.points.len()));
    let best = fits.first().copied();
    Ok(Found {
        unit: asker.unit,
        baud,
        answer: first.message.clone(),
        identification: identified.identification,
        profile: best.map(|(_, p)| p.name.to_string()),
        fit: best.map(|(fit, _)| (fit.min(1.0) * 100.0).round() / 100.0),
        also: fits.iter().skip(1).map(|(_, p)| p.name.to_string()).collect(),
    })
}

/// How well a profile's points read: 1 when every one is there and plausible.
async fn fit(asker: &mut Asker<'_>, profile: &Profile) -> Result<f64, CliError> {
    let points: Vec<&Point> = profile
        .points
        .iter()
        .filter(|p| p.scale_from.is_none() && p.register().is_some_and(|r| r.area != Area::Identification))
        .collect();
    let step = (points.len() / POINTS_TRIED).max(1);
    let tried: Vec<&&Point> = points.iter().step_by(step).take(POINTS_TRIED).collect();
    let mut sum = 0.0;
    for point in &tried {
        let Some(address) = point.register() else { continue };
        let answer = asker.read(address.area, address.number, point.width()).await?;
        if answer.words.is_empty() {
            // One that is refused is not this device; the others need not be asked.
            return Ok(0.0);
        }
        sum += plausible(point, &answer.words);
    }
    #[expect(clippy::cast_precision_loss, reason = "a handful")]
    Ok(if tried.is_empty() { 0.0 } else { sum / tried.len() as f64 })
}

/// Whether registers read as a point could be that point: what its type, its names and its unit say.
fn plausible(point: &Point, words: &[u16]) -> f64 {
    let Ok(value) = decode(point, words, None) else { return 0.2 };
    if words.iter().all(|w| *w == 0) {
        return 0.5;
    }
    match (&value, value.number()) {
        (Value::Integer(code), _) if !point.values.is_empty() => {
            if point.value_name(*code).is_some() {
                1.0
            } else {
                0.1
            }
        }
        (_, Some(number)) => {
            let size = number.abs();
            let is_likely = match &*point.unit {
                "V" => size < 1000.0,
                "A" => size < 5000.0,
                "Hz" => size < 600.0,
                "degC" => (-100.0..2000.0).contains(&number),
                "%" => size < 1000.0,
                _ => size < 1e9,
            };
            // A float that is no float reads as something very small or very large.
            if is_likely && size > 1e-6 { 1.0 } else { 0.0 }
        }
        (_, None) => 0.8,
    }
}

fn show<C: Composition>(cx: &Context<'_, C>, link: &str, found: &[Found]) -> Result<Outcome, CliError> {
    let mut sheet =
        Sheet::new(&["unit", "baud", "answer", "identification", "profile", "fit", "also_possible"]);
    for f in found {
        sheet.row([
            f.unit.to_string(),
            f.baud.map_or_else(String::new, |b| b.to_string()),
            f.answer.clone(),
            f.identification.values().cloned().collect::<Vec<_>>().join(" "),
            f.profile.clone().unwrap_or_else(|| "none fits".to_owned()),
            f.fit.map_or_else(String::new, |fit| format!("{:.0} %", fit * 100.0)),
            f.also.join(", "),
        ]);
    }
    cx.list(&found, &sheet, "nothing answers")?;
    if found.is_empty() {
        return Ok(Outcome::Negative);
    }
    if cx.global.json || cx.global.is_csv() {
        return Ok(Outcome::Done);
    }
    let same = found.iter().filter(|f| f.answer == "answers").count();
    if same >= 16 {
        cx.print("\n16 or more units give the same answer. Probably one device answers on every unit id.\n")?;
    }
    cx.print(&format!(
        "\n{}",
        heading(&format!("To paste into andon.toml, {}", plural(found.len(), "piece")))
    ))?;
    for f in found {
        let profile = match &f.profile {
            Some(name) => format!("profile = \"{name}\""),
            None => "profile = \"\"  # none fits; begin one with: andon profile new NAME".to_owned(),
        };
        let baud = f.baud.map_or(String::new(), |b| format!("  # heard at {b} baud"));
        cx.print(&format!(
            "[[equipment]]\nid = \"{link}-{}\"\n{profile}\nlink = \"{link}\"{baud}\nunit = {}\n\n",
            f.unit, f.unit
        ))?;
    }
    Ok(Outcome::Done)
}
