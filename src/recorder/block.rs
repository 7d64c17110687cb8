//! A block: many samples, compressed by `pco`.
//!
//! ```text
//! block   = version u8, from i64, until i64, names, groups
//! names   = count, { count, { point } }                   the points of each profile, once
//! groups  = count, { equipment, profile, times, series }
//! times   = count, { bytes of pco<i64> }                  each distinct row of times once
//! series  = count, { point, row of times, samples }, chunks
//! chunks  = { bytes of pco<f64> }                         one a long series; short ones share the last
//! ```
//!
//! Counts, lengths and places are LEB128, texts and bytes are preceded by theirs; everything else is little-endian.

use std::collections::BTreeMap;
use std::sync::Arc;

use pco::standalone::{simple_compress, simple_decompress};
use pco::{ChunkConfig, DeltaSpec, ModeSpec};

use super::Sample;
use super::buffer::{Buffer, Group, Places, sample};
use crate::limits;
use crate::profile::Profile;
use crate::words::Wall;

/// The version of the format; blocks of others are passed over.
const VERSION: u8 = 1;

/// Why a block cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub(super) enum BlockError {
    /// The codec says so.
    #[error("the codec: {0}")]
    Codec(#[from] pco::errors::PcoError),
    /// It ends too early, or says impossible things.
    #[error("a block is damaged")]
    Damaged,
}

/// A buffer as a block.
pub(super) fn encode(buffer: &Buffer) -> Result<Vec<u8>, BlockError> {
    let times = || buffer.groups().flat_map(|g| g.times.iter().copied());
    let mut out = vec![VERSION];
    out.extend(times().min().unwrap_or(0).to_le_bytes());
    out.extend(times().max().unwrap_or(0).to_le_bytes());
    let mut profiles: Vec<&Arc<Profile>> = Vec::new();
    let mut profile_of = Vec::new();
    for group in buffer.groups() {
        let known = profiles.iter().position(|p| Arc::ptr_eq(p, &group.profile));
        profile_of.push(known.unwrap_or_else(|| {
            profiles.push(&group.profile);
            profiles.len() - 1
        }));
    }
    count(&mut out, profiles.len());
    for profile in profiles {
        count(&mut out, profile.points.len());
        profile.points.iter().for_each(|p| bytes(&mut out, p.name.as_str().as_bytes()));
    }
    count(&mut out, profile_of.len());
    for (group, profile) in buffer.groups().zip(profile_of) {
        encode_group(&mut out, group, profile)?;
    }
    Ok(out)
}

fn encode_group(out: &mut Vec<u8>, group: &Group, profile: usize) -> Result<(), BlockError> {
    bytes(out, group.equipment.as_str().as_bytes());
    count(out, profile);
    let columns = group.columns();
    let used = || columns.iter().enumerate().filter(|(_, s)| !s.values.is_empty());
    // Points of one answer share its time: each distinct row of times is written once.
    let mut rows: BTreeMap<Places<'_>, usize> = BTreeMap::new();
    let mut order: Vec<Places<'_>> = Vec::new();
    for (_, series) in used() {
        rows.entry(series.places()).or_insert_with(|| {
            order.push(series.places());
            order.len() - 1
        });
    }
    count(out, order.len());
    for row in &order {
        bytes(out, &simple_compress(&row.times(&group.times), &of_times())?);
    }
    count(out, used().count());
    for (p, series) in used() {
        count(out, p);
        count(out, rows.get(&series.places()).copied().unwrap_or(0));
        count(out, series.values.len());
    }
    let mut shared: Vec<f64> = Vec::new();
    for (_, series) in used() {
        if series.values.len() >= limits::RECORDER_OWN_CHUNK {
            bytes(out, &simple_compress(&series.values, &of_values())?);
        } else {
            shared.extend(&series.values);
        }
    }
    bytes(out, &simple_compress(&shared, &of_values())?);
    Ok(())
}

/// Times rise by about the same: the codec need not find that out.
fn of_times() -> ChunkConfig {
    let config = ChunkConfig::default().with_compression_level(LEVEL).with_mode_spec(ModeSpec::Classic);
    config.with_delta_spec(DeltaSpec::TryConsecutive(1))
}

fn of_values() -> ChunkConfig {
    ChunkConfig::default().with_compression_level(LEVEL)
}

/// Of the codec's twelve levels: higher ones take longer and gain little here.
const LEVEL: usize = 4;

fn count(out: &mut Vec<u8>, mut n: usize) {
    while n >= 0x80 {
        out.push(u8::try_from(n & 0x7F).unwrap_or(0) | 0x80);
        n >>= 7;
    }
    out.push(u8::try_from(n).unwrap_or(0));
}

fn bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    count(out, bytes.len());
    out.extend_from_slice(bytes);
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], BlockError> {
        let (head, rest) = self.0.split_at_checked(n).ok_or(BlockError::Damaged)?;
        self.0 = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], BlockError> {
        self.take(N)?.try_into().map_err(|_| BlockError::Damaged)
    }

    fn count(&mut self) -> Result<usize, BlockError> {
        let mut n = 0;
        for shift in (0..56).step_by(7) {
            let [byte] = self.array()?;
            n |= usize::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok(n);
            }
        }
        Err(BlockError::Damaged)
    }

    fn text(&mut self) -> Result<&'a str, BlockError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| BlockError::Damaged)
    }

    fn bytes(&mut self) -> Result<&'a [u8], BlockError> {
        let n = self.count()?;
        self.take(n)
    }
}

/// The samples of a block that are wanted, each given to `each` with its equipment and point; only rows and chunks that are
/// needed are decompressed.
pub(super) fn find(
    block: &[u8],
    (since, until): (Wall, Wall),
    is_wanted: &dyn Fn(&str, &str) -> bool,
    each: &mut dyn FnMut(&str, &str, Sample),
) -> Result<(), BlockError> {
    let mut c = Cursor(block);
    let [version] = c.array()?;
    let (first, last) = (i64::from_le_bytes(c.array()?), i64::from_le_bytes(c.array()?));
    if version != VERSION || last < since.millis() || first >= until.millis() {
        return Ok(());
    }
    let mut names = Vec::new();
    for _ in 0..c.count()? {
        let mut own = Vec::new();
        for _ in 0..c.count()? {
            own.push(c.text()?);
        }
        names.push(own);
    }
    for _ in 0..c.count()? {
        let equipment = c.text()?;
        let names = names.get(c.count()?).ok_or(BlockError::Damaged)?;
        let mut rows = Vec::new();
        for _ in 0..c.count()? {
            rows.push(c.bytes()?);
        }
        let mut series = Vec::new();
        for _ in 0..c.count()? {
            let point = names.get(c.count()?).ok_or(BlockError::Damaged)?;
            series.push((*point, c.count()?, c.count()?));
        }
        let is_long = |samples: usize| samples >= limits::RECORDER_OWN_CHUNK;
        let mut own = Vec::new();
        for (_, _, samples) in &series {
            own.push(if is_long(*samples) { Some(c.bytes()?) } else { None });
        }
        let shared = c.bytes()?;
        let mut shared_values: Option<Vec<f64>> = None;
        let mut times: BTreeMap<usize, Vec<i64>> = BTreeMap::new();
        let mut before: usize = 0;
        for ((point, row, samples), own) in series.into_iter().zip(own) {
            let from = before;
            before = before.saturating_add(if own.is_none() { samples } else { 0 });
            if !is_wanted(equipment, point) {
                continue;
            }
            if let std::collections::btree_map::Entry::Vacant(free) = times.entry(row) {
                free.insert(simple_decompress::<i64>(rows.get(row).ok_or(BlockError::Damaged)?)?);
            }
            let of_own;
            let values = match own {
                Some(bytes) => {
                    of_own = simple_decompress::<f64>(bytes)?;
                    of_own.as_slice()
                }
                None => {
                    if shared_values.is_none() {
                        shared_values = Some(simple_decompress::<f64>(shared)?);
                    }
                    let all = shared_values.as_deref().unwrap_or_default();
                    all.get(from..from.saturating_add(samples)).ok_or(BlockError::Damaged)?
                }
            };
            for (at, value) in times.get(&row).into_iter().flatten().zip(values) {
                if let Some(found) = sample(*at, *value, since, until) {
                    each(equipment, point, found);
                }
            }
        }
    }
    Ok(())
}
