//! Segments: files of blocks, each framed and checked, within a disk budget.
//!
//! A frame is `ANDR`, the block's length as u32, the first eight bytes of its SHA-256, the block. Whatever is no whole
//! frame is passed over up to the next `ANDR`.

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

/// The segments of a folder, open for writing.
#[derive(Debug)]
pub(super) struct Segments {
    folder: PathBuf,
    budget: u64,
    next: u64,
    current: Option<AppendFile>,
}

impl Segments {
    /// Opens a folder. A new segment is begun: the last one may end in a torn block.
    pub fn open(folder: &Path, budget: u64) -> io::Result<Self> {
        disk::make_folder(folder)?;
        let last = disk::list(folder, ENDING)?.last().and_then(|p| p.file_stem()?.to_str()?.parse().ok());
        Ok(Self { folder: folder.to_owned(), budget, next: last.map_or(1, |n: u64| n + 1), current: None })
    }

    /// Appends a block in one write, and lets the oldest segments go beyond the budget.
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

/// A block in its frame.
pub(super) fn framed(block: &[u8]) -> io::Result<Vec<u8>> {
    let length = u32::try_from(block.len()).map_err(io::Error::other)?;
    let mut frame = Vec::with_capacity(HEAD + block.len());
    frame.extend_from_slice(MAGIC);
    frame.extend_from_slice(&length.to_le_bytes());
    frame.extend_from_slice(&proof(block));
    frame.extend_from_slice(block);
    Ok(frame)
}

fn proof(block: &[u8]) -> [u8; 8] {
    let mut out = [0; 8];
    out.iter_mut().zip(Sha256::digest(block)).for_each(|(o, b)| *o = b);
    out
}

/// The samples wanted that are on disk, the newest segment first. A segment that goes away while it is read is gone.
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
                // A block is proven whole; of one that does not decode all the same, series before the place are good.
                let _decoded = block::find(block, (since, until), is_wanted, each);
            }),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// Every whole block of a segment.
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

fn whole(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (head, rest) = bytes.split_at_checked(HEAD)?;
    let length = u32::from_le_bytes(head.get(4..8)?.try_into().ok()?);
    let (block, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    (head.get(8..)? == proof(block)).then_some((block, rest))
}
