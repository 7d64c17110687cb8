//! A block: many samples, compressed by `pco`.
//!
//! ```text
//! block   = version u8, from i64, until i64, groups
//! groups  = count, { equipment, times, series }
//! times   = count, { bytes of pco<i64> }             each distinct row of times once
//! series  = count, { point, number of its times u32, samples u32 }, chunks
//! chunks  = { bytes of pco<f64> }                    one a long series; short ones share the last
//! ```
//!
//! Counts and lengths are u32, texts and bytes are preceded by theirs, everything little-endian.

use std::collections::BTreeMap;

use pco::ChunkConfig;
use pco::standalone::{simple_compress, simple_decompress};

use super::Sample;
use super::buffer::{Buffer, Group, sample};
use crate::limits;
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
    count(&mut out, buffer.groups().count());
    for group in buffer.groups() {
        encode_group(&mut out, group)?;
    }
    Ok(out)
}

fn encode_group(out: &mut Vec<u8>, group: &Group) -> Result<(), BlockError> {
    let config = ChunkConfig::default();
    bytes(out, group.equipment.as_str().as_bytes());
    let used: Vec<(usize, &Vec<(u32, f64)>)> =
        group.series.iter().enumerate().filter(|(_, s)| !s.is_empty()).collect();
    // Points of one answer share its time: each distinct row of times is written once.
    let mut rows: BTreeMap<Vec<u32>, usize> = BTreeMap::new();
    let mut order: Vec<Vec<i64>> = Vec::new();
    let mut row_of = Vec::with_capacity(used.len());
    for (_, series) in &used {
        let places: Vec<u32> = series.iter().map(|(place, _)| *place).collect();
        let at = *rows.entry(places.clone()).or_insert_with(|| {
            order.push(places.iter().filter_map(|p| group.times.get(*p as usize).copied()).collect());
            order.len() - 1
        });
        row_of.push(at);
    }
    count(out, order.len());
    for row in &order {
        bytes(out, &simple_compress(row, &config)?);
    }
    count(out, used.len());
    for ((p, series), row) in used.iter().zip(&row_of) {
        let name = group.profile.points.get(*p).map_or("", |point| point.name.as_str());
        bytes(out, name.as_bytes());
        count(out, *row);
        count(out, series.len());
    }
    let mut shared: Vec<f64> = Vec::new();
    for (_, series) in &used {
        let values = series.iter().map(|(_, value)| *value);
        if series.len() >= limits::RECORDER_OWN_CHUNK {
            bytes(out, &simple_compress(&values.collect::<Vec<f64>>(), &config)?);
        } else {
            shared.extend(values);
        }
    }
    bytes(out, &simple_compress(&shared, &config)?);
    Ok(())
}

fn count(out: &mut Vec<u8>, n: usize) {
    out.extend(u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes());
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
        usize::try_from(u32::from_le_bytes(self.array()?)).map_err(|_| BlockError::Damaged)
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
    for _ in 0..c.count()? {
        let equipment = c.text()?;
        let mut rows = Vec::new();
        for _ in 0..c.count()? {
            rows.push(c.bytes()?);
        }
        let mut series = Vec::new();
        for _ in 0..c.count()? {
            series.push((c.text()?, c.count()?, c.count()?));
        }
        let is_long = |samples: usize| samples >= limits::RECORDER_OWN_CHUNK;
        let mut own = Vec::new();
        for (_, _, samples) in &series {
            own.push(if is_long(*samples) { Some(c.bytes()?) } else { None });
        }
        let shared = c.bytes()?;
        let mut shared_values: Option<Vec<f64>> = None;
        let mut times: BTreeMap<usize, Vec<i64>> = BTreeMap::new();
        let mut before = 0;
        for ((point, row, samples), own) in series.into_iter().zip(own) {
            let from = before;
            before += if own.is_none() { samples } else { 0 };
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
                    all.get(from..from + samples).ok_or(BlockError::Damaged)?
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
