//! Segments: files of blocks within a disk budget. Each block has a frame with a checksum.
//!
//! A frame is `ANDR`, the length of the block as u32, the first eight bytes of the block's SHA-256, and the block. Bytes
//! that are not a whole frame are skipped up to the next `ANDR`.

use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::Sample;
use super::block;
use crate::disk::{self, AppendFile};
use crate::limits;
use crate::words::Wall;

const MAGIC: &[u8; 4] = b"ANDR";
const HEAD: usize = 16;
const ENDING: &str = ".seg";

/// The segments of a folder, open for appending.
#[derive(Debug)]
pub(super) struct Segments {
    folder: PathBuf,
    /// The largest size of all segments together, in bytes.
    budget: u64,
    /// The number of the next segment.
    next: u64,
    /// The segment that blocks are appended to; `None` if the next block needs a new segment.
    current: Option<AppendFile>,
}

impl Segments {
    /// Opens a folder. Appending always begins a new segment, because the last segment may end in a torn block.
    pub fn open(folder: &Path, budget: u64) -> io::Result<Self> {
        disk::make_folder(folder)?;
        let last = disk::list(folder, ENDING)?.last().and_then(|p| p.file_stem()?.to_str()?.parse().ok());
        Ok(Self { folder: folder.to_owned(), budget, next: last.map_or(1, |n: u64| n + 1), current: None })
    }

    /// Deletes the oldest segments if the budget would be exceeded, then appends a block in one write.
    pub fn append(&mut self, block: &[u8]) -> io::Result<()> {
        let frame = framed(block)?;
        self.make_room(frame.len() as u64)?;
        let is_full = |f: &AppendFile| f.durable() >= limits::RECORDER_SEGMENT_BYTES.min(self.budget / 8);
        if self.current.as_ref().is_none_or(is_full) {
            let path = self.folder.join(format!("{:08}{ENDING}", self.next));
            self.current = Some(AppendFile::begin(&path)?);
            self.next += 1;
        }
        match &mut self.current {
            Some(file) => file.append(&frame),
            None => Ok(()),
        }
    }

    fn make_room(&mut self, coming: u64) -> io::Result<()> {
        let files = disk::list(&self.folder, ENDING)?;
        let sizes: Vec<u64> = files.iter().map(|p| p.metadata().map_or(0, |m| m.len())).collect();
        let mut all: u64 = sizes.iter().sum::<u64>() + coming;
        for (path, size) in files.iter().zip(sizes) {
            if all <= self.budget {
                break;
            }
            disk::remove(path)?;
            all -= size;
            if path.file_stem().and_then(|s| s.to_str()?.parse().ok()) == Some(self.next - 1) {
                self.current = None;
            }
        }
        Ok(())
    }
}

/// Puts a block into its frame.
pub(super) fn framed(block: &[u8]) -> io::Result<Vec<u8>> {
    let length = u32::try_from(block.len()).map_err(io::Error::other)?;
    let mut frame = Vec::with_capacity(HEAD + block.len());
    frame.extend_from_slice(MAGIC);
    frame.extend_from_slice(&length.to_le_bytes());
    frame.extend_from_slice(&checksum(block));
    frame.extend_from_slice(block);
    Ok(frame)
}

fn checksum(block: &[u8]) -> [u8; 8] {
    let mut out = [0; 8];
    out.iter_mut().zip(Sha256::digest(block)).for_each(|(o, b)| *o = b);
    out
}

/// Calls `each` with every wanted sample on disk, the newest segment first. A segment that is deleted during the search
/// is skipped.
pub(super) fn read(
    folder: &Path,
    (since, until): (Wall, Wall),
    is_wanted: &dyn Fn(&str, &str) -> bool,
    each: &mut dyn FnMut(&str, &str, Sample),
) -> io::Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    for path in disk::list(folder, ENDING)?.iter().rev() {
        match disk::read(path) {
            Ok(bytes) => blocks(&bytes, |block| {
                // The checksum of the block is right. If decoding fails, the samples before that place were already used.
                let _decoded = block::find(block, (since, until), is_wanted, each);
            }),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// Calls `each` with every whole block of a segment.
fn blocks(mut bytes: &[u8], mut each: impl FnMut(&[u8])) {
    while let Some(at) = bytes.windows(MAGIC.len()).position(|w| w == MAGIC) {
        bytes = bytes.get(at..).unwrap_or_default();
        match whole(bytes) {
            Some((block, rest)) => {
                each(block);
                bytes = rest;
            }
            None => bytes = bytes.get(MAGIC.len()..).unwrap_or_default(),
        }
    }
}

/// Splits a whole frame from the beginning of `bytes`; returns its block and the rest. `None` if the frame is damaged.
fn whole(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (head, rest) = bytes.split_at_checked(HEAD)?;
    let length = u32::from_le_bytes(head.get(4..8)?.try_into().ok()?);
    let (block, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    (head.get(8..)? == checksum(block)).then_some((block, rest))
}
