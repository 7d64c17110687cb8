//! The disk of the machine.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::{Disk, Kind, OpenFile, Place, beside};

/// The disk of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn entries(&self, folder: &Path) -> io::Result<Vec<(String, Kind)>> {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(e),
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry?;
            // `DirEntry::metadata` does not follow a symbolic link.
            let metadata = entry.metadata()?;
            let kind = if metadata.is_file() { Kind::File(metadata.len()) } else { Kind::Other };
            if let Ok(name) = entry.file_name().into_string() {
                found.push((name, kind));
            }
        }
        Ok(found)
    }

    fn reader(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW).open(path)?))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        let file = OpenOptions::new().read(true).write(true).custom_flags(libc::O_NOFOLLOW).open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("it is not a plain file"));
        }
        Ok(Box::new(RealFile { path: path.to_owned(), file }))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        file.sync_all()?;
        sync_folder(path)?;
        Ok(Box::new(RealFile { path: path.to_owned(), file }))
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        make_folder(path)
    }

    fn write_whole(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        write_whole(path, bytes)
    }
}

#[derive(Debug)]
struct RealFile {
    path: PathBuf,
    file: File,
}

impl OpenFile for RealFile {
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, at)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    fn read_back(&mut self, length: u64) -> io::Result<Vec<u8>> {
        self.file.seek(SeekFrom::Start(0))?;
        let mut bytes = Vec::new();
        (&self.file).take(length).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn place(&self) -> io::Result<Place> {
        let ours = self.file.metadata()?;
        match std::fs::symlink_metadata(&self.path) {
            Ok(there) if (there.dev(), there.ino()) == (ours.dev(), ours.ino()) => {
                Ok(Place::Here(ours.len()))
            }
            Ok(_) => Ok(Place::Elsewhere),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                Ok(if ours.nlink() == 0 { Place::Removed } else { Place::Elsewhere })
            }
            Err(e) => Err(e),
        }
    }
}

/// A file that only grows; what was not made durable can be cut off again.
#[derive(Debug)]
pub struct AppendFile {
    file: Box<dyn OpenFile>,
    durable: u64,
    is_dirty: bool,
}

impl AppendFile {
    /// Begins a file on the real disk; one that is there is emptied.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn begin(path: &Path) -> io::Result<Self> {
        let mut file = match RealDisk.create(path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => RealDisk.open(path)?,
            other => other?,
        };
        file.cut(0)?;
        Ok(Self::over(file, 0))
    }

    /// Goes on with an open file of this length.
    #[must_use]
    pub fn over(file: Box<dyn OpenFile>, length: u64) -> Self {
        Self { file, durable: length, is_dirty: false }
    }

    /// The length that is on disk for good.
    #[must_use]
    pub fn durable(&self) -> u64 {
        self.durable
    }

    /// The open file.
    pub fn file(&mut self) -> &mut dyn OpenFile {
        self.file.as_mut()
    }

    /// Appends and makes durable; on any error the file is cut back to what it was.
    ///
    /// # Errors
    /// What the operating system says; nothing was appended then.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.is_dirty {
            self.cut_back()?;
        }
        let done = self.file.write_at(self.durable, bytes).and_then(|()| self.file.sync());
        match &done {
            Ok(()) => self.durable += bytes.len() as u64,
            Err(_) => {
                // Cutting back needs no room; should it fail all the same, it is tried again before the next append.
                self.is_dirty = self.cut_back().is_err();
            }
        }
        done
    }

    /// Takes the last append back: it is not on record.
    ///
    /// # Errors
    /// What the operating system says; it is tried again before the next append then.
    pub fn take_back(&mut self, length: u64) -> io::Result<()> {
        self.durable = length;
        self.is_dirty = true;
        self.cut_back()
    }

    fn cut_back(&mut self) -> io::Result<()> {
        self.file.cut(self.durable)?;
        self.file.sync()?;
        self.is_dirty = false;
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

/// Writes a file whole or not at all, and its folder where there is none: beside it first, then in its place, durable.
///
/// # Errors
/// What the operating system says; the file is as before then.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    place_whole(path, bytes)?;
    sync_folder(path)
}

/// The first part of [`write_whole`], for several files of a folder: each is whole, and there for good once the last one
/// was written with [`write_whole`].
///
/// # Errors
/// What the operating system says; the file is as before then.
pub fn place_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
    let new = beside(path, ".new");
    // What an earlier attempt left, or somebody put there: it is not followed.
    remove(&new)?;
    let written = OpenOptions::new().write(true).create_new(true).open(&new).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    if let Err(e) = written.and_then(|()| std::fs::rename(&new, path)) {
        // Half a file is of no use to anybody; whether it could be removed changes nothing.
        let _removed = remove(&new);
        return Err(e);
    }
    Ok(())
}
