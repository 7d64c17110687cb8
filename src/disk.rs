//! Files of journal and recorder: append, make durable, cut back. The only home of `std::fs` in both.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A file that only grows; what was not made durable can be cut off again.
#[derive(Debug)]
pub struct AppendFile {
    file: File,
    durable: u64,
    dirty: bool,
}

impl AppendFile {
    /// Opens a file of this length, or makes it; a new file's directory entry is made durable too.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn open(path: &Path, length: u64) -> io::Result<Self> {
        let is_new = !path.exists();
        let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
        if file.metadata()?.len() != length {
            file.set_len(length)?;
            file.sync_all()?;
        }
        if is_new {
            file.sync_all()?;
            sync_folder(path)?;
        }
        Ok(Self { file, durable: length, dirty: false })
    }

    /// The length that is on disk for good.
    #[must_use]
    pub fn durable(&self) -> u64 {
        self.durable
    }

    /// Appends and makes durable; on any error the file is cut back to what it was.
    ///
    /// # Errors
    /// What the operating system says; nothing was appended then.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.dirty {
            self.cut_back()?;
        }
        let done = self.write_durable(bytes);
        match &done {
            Ok(()) => self.durable += bytes.len() as u64,
            Err(_) => {
                self.dirty = true;
                // Cutting back needs no room; should it fail all the same, it is tried again before the next append.
                if self.cut_back().is_ok() {
                    self.dirty = false;
                }
            }
        }
        done
    }

    fn write_durable(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.durable))?;
        self.file.write_all(bytes)?;
        self.file.sync_data()
    }

    fn cut_back(&mut self) -> io::Result<()> {
        self.file.set_len(self.durable)?;
        self.file.sync_data()?;
        self.dirty = false;
        Ok(())
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Reads a whole file.
///
/// # Errors
/// What the operating system says.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Writes a small file beside the journal, for what was cut off.
///
/// # Errors
/// What the operating system says.
pub fn keep(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a folder and everything above it.
///
/// # Errors
/// What the operating system says.
pub fn make_folder(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path)
}

/// Removes a file; one that is gone already is no error.
///
/// # Errors
/// What the operating system says.
pub fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The files of a folder whose names end so, in order.
///
/// # Errors
/// What the operating system says.
pub fn list(folder: &Path, ending: &str) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.to_str().is_some_and(|p| p.ends_with(ending)) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Writes a file whole or not at all, its folder where there is none included: beside it first, then in its place. It is
/// on disk for good afterwards.
///
/// # Errors
/// What the operating system says; the old file is there unchanged then.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    place_whole(path, bytes)?;
    sync_folder(path)
}

/// The first part of [`write_whole`], for several files of a folder: each is whole, and there for good once the last one
/// was written with [`write_whole`].
///
/// # Errors
/// What the operating system says; the old file is there unchanged then.
pub fn place_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    path.parent().map_or(Ok(()), make_folder)?;
    let beside = path.with_extension("new");
    keep(&beside, bytes)?;
    std::fs::rename(&beside, path)
}
