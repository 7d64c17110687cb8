//! A block: many samples, compressed by `pco`. The format is:
//!
//! ```text
//! block   = version u8, from i64, until i64, names, pages of times, pages of values, groups
//! names   = count, { count, { point } }                       the points of each profile
//! pages   = count, { bytes of pco }                           times are i64, values are f64
//! groups  = count, { equipment, profile, rows, series }
//! rows    = count, { page, offset, length }                   each distinct row of times
//! series  = count, { point, row, page, offset }               one value for each time of the row
//! ```
//!
//! Times are milliseconds since 1970. A long series or row has its own page; short series and rows share a page. Counts,
//! lengths, offsets and indexes are LEB128. A text or a sequence of bytes begins with its length. All other numbers are
//! little-endian.

use std::collections::BTreeMap;
use std::sync::Arc;

use pco::data_types::Number;
use pco::standalone::{simple_compress, simple_decompress};
use pco::{ChunkConfig, DeltaSpec, ModeSpec};

use super::Sample;
use super::buffer::{Buffer, Group, Places, sample};
use crate::limits;
use crate::profile::Profile;
use crate::words::Wall;

/// The version of the format. Blocks of other versions are skipped.
const VERSION: u8 = 1;

/// The reason why a block cannot be encoded or decoded.
#[derive(Debug, thiserror::Error)]
pub(super) enum BlockError {
    /// The codec `pco` reports an error.
    #[error("the codec: {0}")]
    Codec(#[from] pco::errors::PcoError),
    /// The block ends too early, or contains impossible numbers.
    #[error("a block is damaged")]
    Damaged,
}

/// Encodes a buffer as a block.
pub(super) fn encode(buffer: &Buffer) -> Result<Vec<u8>, BlockError> {
    let times = || buffer.groups().flat_map(|g| g.times.iter().copied());
    let mut out = vec![VERSION];
    out.extend(times().min().unwrap_or(0).to_le_bytes());
    out.extend(times().max().unwrap_or(0).to_le_bytes());
    let mut profiles: Vec<&Arc<Profile>> = Vec::new();
    let (mut times, mut values) = (Pages::new(of_times()), Pages::new(of_values()));
    let mut groups = Vec::new();
    count(&mut groups, buffer.groups().count());
    for group in buffer.groups() {
        let known = profiles.iter().position(|p| Arc::ptr_eq(p, &group.profile));
        let profile = known.unwrap_or_else(|| {
            profiles.push(&group.profile);
            profiles.len() - 1
        });
        bytes(&mut groups, group.equipment.as_str().as_bytes());
        count(&mut groups, profile);
        encode_group(&mut groups, group, &mut times, &mut values)?;
    }
    count(&mut out, profiles.len());
    for profile in profiles {
        count(&mut out, profile.points.len());
        profile.points.iter().for_each(|p| bytes(&mut out, p.name.as_str().as_bytes()));
    }
    times.write(&mut out)?;
    values.write(&mut out)?;
    out.extend(groups);
    Ok(out)
}

fn encode_group(
    out: &mut Vec<u8>,
    group: &Group,
    times: &mut Pages<i64>,
    values: &mut Pages<f64>,
) -> Result<(), BlockError> {
    let columns = group.columns();
    let used = || columns.iter().enumerate().filter(|(_, s)| !s.values.is_empty());
    // All points of one response have the same time. So each distinct row of times is written only once.
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
        let row = row.times(&group.times);
        times.place(out, &row)?;
        count(out, row.len());
    }
    count(out, used().count());
    for (p, series) in used() {
        count(out, p);
        count(out, rows.get(&series.places()).copied().unwrap_or(0));
        values.place(out, &series.values)?;
    }
    Ok(())
}

/// Pages of numbers that are being written. Each page is compressed separately.
struct Pages<T: Number> {
    config: ChunkConfig,
    done: Vec<Vec<u8>>,
    /// The index and the numbers of the page that short rows share; `None` if no such page is open.
    open: Option<(usize, Vec<T>)>,
}

impl<T: Number> Pages<T> {
    fn new(config: ChunkConfig) -> Self {
        Self { config, done: Vec::new(), open: None }
    }

    /// Adds a row to a page, and writes the page and the offset of the row to `out`.
    fn place(&mut self, out: &mut Vec<u8>, row: &[T]) -> Result<(), BlockError> {
        if row.len() >= limits::RECORDER_OWN_CHUNK {
            count(out, self.done.len());
            count(out, 0);
            self.done.push(simple_compress(row, &self.config)?);
            return Ok(());
        }
        let done = &mut self.done;
        let (page, open) = self.open.get_or_insert_with(|| {
            done.push(Vec::new());
            (done.len() - 1, Vec::new())
        });
        count(out, *page);
        count(out, open.len());
        open.extend_from_slice(row);
        if open.len() >= limits::RECORDER_PAGE { self.close() } else { Ok(()) }
    }

    fn close(&mut self) -> Result<(), BlockError> {
        if let Some((page, open)) = self.open.take()
            && let Some(place) = self.done.get_mut(page)
        {
            *place = simple_compress(&open, &self.config)?;
        }
        Ok(())
    }

    fn write(mut self, out: &mut Vec<u8>) -> Result<(), BlockError> {
        self.close()?;
        count(out, self.done.len());
        self.done.iter().for_each(|page| bytes(out, page));
        Ok(())
    }
}

/// The pages of a block that is being read. Each page is decompressed when it is needed for the first time.
struct Read<'a, T: Number> {
    pages: Vec<&'a [u8]>,
    known: BTreeMap<usize, Vec<T>>,
}

impl<'a, T: Number> Read<'a, T> {
    fn of(c: &mut Cursor<'a>) -> Result<Self, BlockError> {
        let pages = (0..c.count()?).map(|_| c.bytes()).collect::<Result<_, _>>()?;
        Ok(Self { pages, known: BTreeMap::new() })
    }

    fn get(&mut self, page: usize, offset: usize, length: usize) -> Result<&[T], BlockError> {
        if !self.known.contains_key(&page) {
            let bytes = self.pages.get(page).ok_or(BlockError::Damaged)?;
            self.known.insert(page, simple_decompress(bytes)?);
        }
        let page = self.known.get(&page).ok_or(BlockError::Damaged)?;
        page.get(offset..offset.saturating_add(length)).ok_or(BlockError::Damaged)
    }
}

/// Returns the codec's settings for times. Times increase by nearly equal steps, so the codec stores differences.
fn of_times() -> ChunkConfig {
    let config = ChunkConfig::default().with_compression_level(LEVEL).with_mode_spec(ModeSpec::Classic);
    config.with_delta_spec(DeltaSpec::TryConsecutive(1))
}

fn of_values() -> ChunkConfig {
    ChunkConfig::default().with_compression_level(LEVEL)
}

/// The compression level of the codec, from 0 to 12. Higher levels take longer and save little space here.
const LEVEL: usize = 4;

/// Writes a number as LEB128.
fn count(out: &mut Vec<u8>, mut n: usize) {
    while n >= 0x80 {
        out.push(u8::try_from(n & 0x7F).unwrap_or(0) | 0x80);
        n >>= 7;
    }
    out.push(u8::try_from(n).unwrap_or(0));
}

/// Writes the length of `bytes`, then the bytes.
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

/// Calls `each` with the equipment id, the point name and the sample, for every wanted sample of a block. Decompresses
/// only the pages that are needed.
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
    let (mut times, mut values) = (Read::<i64>::of(&mut c)?, Read::<f64>::of(&mut c)?);
    for _ in 0..c.count()? {
        let equipment = c.text()?;
        let names = names.get(c.count()?).ok_or(BlockError::Damaged)?;
        let mut rows = Vec::new();
        for _ in 0..c.count()? {
            rows.push((c.count()?, c.count()?, c.count()?));
        }
        for _ in 0..c.count()? {
            let point = names.get(c.count()?).ok_or(BlockError::Damaged)?;
            let (row, page, offset) = (c.count()?, c.count()?, c.count()?);
            if !is_wanted(equipment, point) {
                continue;
            }
            let (at_page, at_offset, length) = *rows.get(row).ok_or(BlockError::Damaged)?;
            let at = times.get(at_page, at_offset, length)?;
            for (at, value) in at.iter().zip(values.get(page, offset, length)?) {
                if let Some(found) = sample(*at, *value, since, until) {
                    each(equipment, point, found);
                }
            }
        }
    }
    Ok(())
}
