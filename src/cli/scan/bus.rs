//! Scans a Modbus line: finds the units that answer, their identification, and the profile that fits best.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ScanArgs;
use super::found::{Found, Report, show};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::render::progress;
use crate::client::Client;
use crate::profile::{Area, Point, Profile, Protocol, decode, load};
use crate::site::Site;
use crate::v1::TriedV1;
use crate::words::{Outcome, Value};

/// Number of points of a profile that are read to find out whether the profile fits.
const POINTS_TRIED: usize = 6;
/// Profiles whose fit differs by at most this much from the best fit are considered equal.
const ALIKE: f64 = 0.1;
/// The smallest fit at which a profile is proposed, from 0 to 1.
const FITS: f64 = 0.7;
/// If at most this many units refuse with the same message, each of these units is examined.
const REFUSING_LOOKED_AT: usize = 8;
/// If at least this many units were asked and all return the same value, they are one device.
const ALIKE_UNITS: usize = 4;
/// If at least this many units were asked and all answer, they are one device: no line has so many devices.
const UNITS_ON_A_LINE: usize = 64;

/// Sends requests to one unit, and remembers the responses.
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

/// The response of a unit to the first request, a read of one register.
struct First {
    unit: u8,
    answer: TriedV1,
}

/// A line at one baud rate.
struct Line<'c> {
    client: &'c mut Client,
    link: String,
    /// Longest wait for a response, in milliseconds.
    timeout: u64,
    /// The baud rate that is tried; `None` for the configured rate.
    baud: Option<u32>,
    /// True if no unit is asked for its identification any more, because a connection was closed after such a request.
    skips_identification: bool,
}

impl Line<'_> {
    fn asker(&mut self, unit: u8) -> Asker<'_> {
        let (link, timeout) = (self.link.clone(), self.timeout);
        Asker { client: &mut *self.client, link, unit, timeout, known: BTreeMap::new() }
    }
}

pub(super) async fn scan(
    cx: &mut Context<'_>,
    site: Arc<Site>,
    link: &str,
    args: &ScanArgs,
) -> Result<Outcome, CliError> {
    let data = cx.program.data(&site, &cx.config(), cx.global.data.as_deref());
    let profiles = profiles(cx);
    let rates: Vec<Option<u32>> =
        if args.baud.is_empty() { vec![None] } else { args.baud.iter().copied().map(Some).collect() };
    let mut report = Report::default();
    for baud in rates {
        let client = cx.program.scanner(site.clone(), &data, link, baud).await;
        let mut client = client.map_err(|(outcome, text)| CliError::Other(outcome, text))?;
        let (link, timeout) = (link.to_owned(), args.timeout);
        let mut line = Line { client: &mut client, link, timeout, baud, skips_identification: false };
        scan_line(&mut line, &args.units.0, &profiles, &mut report).await?;
    }
    progress("");
    show(cx, link, &report)
}

/// Asks every unit for one register, and then examines the units that may be devices.
async fn scan_line(
    line: &mut Line<'_>,
    units: &[u8],
    profiles: &[Profile],
    report: &mut Report,
) -> Result<(), CliError> {
    let at = line.baud.map_or(String::new(), |b| format!(" at {b} baud"));
    let mut firsts = Vec::new();
    for (done, unit) in units.iter().enumerate() {
        progress(&format!("unit {unit}{at}: {done} of {} asked", units.len()));
        let mut answer = line.asker(*unit).read(Area::Holding, 0, 1).await?;
        // The response was damaged: ask once more.
        if !matches!(answer.fault.as_str(), "" | "timeout") {
            answer = line.asker(*unit).read(Area::Holding, 0, 1).await?;
        }
        firsts.push(First { unit: *unit, answer });
    }
    let (answering, others): (Vec<First>, Vec<First>) =
        firsts.into_iter().partition(|f| !f.answer.words.is_empty());
    let refusing = |f: &First| f.answer.answered && f.answer.exception.is_some();
    let (refusing, silent): (Vec<First>, Vec<First>) = others.into_iter().partition(refusing);
    for f in &silent {
        report.note_other(line.baud, &f.answer.message, f.unit, f.answer.fault == "timeout");
    }
    let answering = match alike(&answering, units.len()) {
        true => {
            let ids = answering.iter().map(|f| f.unit).collect();
            report.alike.push(ids);
            answering.into_iter().take(1).collect()
        }
        false => answering,
    };
    for f in answering {
        let found = look(line, &f, profiles).await?;
        report.found.push(found);
    }
    // If many units refuse with the same message, the message probably comes from a network gateway and the units do not
    // exist. Examine the first of these units; examine the others only if it is a device.
    let mut groups: BTreeMap<String, Vec<First>> = BTreeMap::new();
    for f in refusing {
        groups.entry(f.answer.message.clone()).or_default().push(f);
    }
    for (message, group) in groups {
        let is_large = group.len() > REFUSING_LOOKED_AT;
        let mut was_no_device = false;
        for f in group {
            if is_large && was_no_device {
                report.note_other(line.baud, &message, f.unit, false);
                continue;
            }
            let found = look(line, &f, profiles).await?;
            was_no_device = !found.is_device;
            if found.is_device {
                report.found.push(found);
            } else {
                report.note_other(line.baud, &message, f.unit, false);
            }
        }
    }
    report.found.sort_by_key(|f| (f.baud, f.unit));
    Ok(())
}

/// Returns true if the units that answer are one device that ignores the unit id: all units that were asked answer, and
/// their answers are equal or the units are too many for one line.
fn alike(answering: &[First], asked: usize) -> bool {
    let Some(first) = answering.first().filter(|_| answering.len() == asked) else { return false };
    let is_same = answering.iter().all(|f| f.answer.words == first.answer.words);
    (is_same && asked >= ALIKE_UNITS) || asked >= UNITS_ON_A_LINE
}

fn profiles(cx: &Context<'_>) -> Vec<Profile> {
    let files = cx.program.profiles(&cx.config());
    let loaded = files.names().into_iter().filter_map(|name| {
        let name = crate::words::ProfileName::parse(&name).ok()?;
        load(&name, &files.text(&name)?).0
    });
    loaded.filter(|p| p.protocol() == Protocol::Modbus).collect()
}

async fn look(line: &mut Line<'_>, first: &First, profiles: &[Profile]) -> Result<Found, CliError> {
    let baud = line.baud;
    let mut note = String::new();
    let mut identified = TriedV1::default();
    if line.skips_identification {
        note = "not asked for its identification, because an earlier request for it closed the connection"
            .to_owned();
    } else {
        identified = line.asker(first.unit).ask("identify=true").await?;
        if matches!(identified.fault.as_str(), "closed" | "io") {
            line.skips_identification = true;
            note =
                "a request for its identification (function 43) closes the connection: andon scans without it"
                    .to_owned();
        }
    }
    let mut asker = line.asker(first.unit);
    asker.known.insert((Area::Holding, 0, 1), first.answer.clone());
    let mut fits: Vec<(f64, &Profile)> = Vec::new();
    for profile in profiles {
        let mut fit = fit(&mut asker, profile).await?;
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
    // Of equal profiles, propose the profile with the most points: a smaller device would refuse some of these points.
    fits.sort_by_key(|(_, p)| std::cmp::Reverse(p.points.len()));
    let best = fits.first().copied();
    let is_device =
        !identified.identification.is_empty() || asker.known.values().any(|a| !a.words.is_empty());
    Ok(Found {
        unit: asker.unit,
        baud,
        answer: first.answer.message.clone(),
        identification: identified.identification,
        profile: best.map(|(_, p)| p.name.to_string()),
        fit: best.map(|(fit, _)| (fit.min(1.0) * 100.0).round() / 100.0),
        also: fits.iter().skip(1).map(|(_, p)| p.name.to_string()).collect(),
        note,
        is_device,
    })
}

/// Returns how well a profile fits, from 0 to 1: 1 if every tried point can be read and has a plausible value.
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
            // A device that refuses a point is not this model, so the other points need not be read.
            return Ok(0.0);
        }
        sum += plausible(point, &answer.words);
    }
    #[expect(clippy::cast_precision_loss, reason = "a handful")]
    Ok(if tried.is_empty() { 0.0 } else { sum / tried.len() as f64 })
}

/// Returns how plausible the registers are as a value of this point, from 0 to 1, by its type, value names and unit.
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
            // Registers that are not a float usually give a very small or a very large number.
            if is_likely && size > 1e-6 { 1.0 } else { 0.0 }
        }
        (_, None) => 0.8,
    }
}
