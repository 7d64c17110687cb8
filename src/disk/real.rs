//! The disk of the gateway, through `std::fs`.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::{Disk, Kind, OpenFile, Place, beside};

/// The disk of the gateway.
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
            return Err(io::Error::other("this is not a plain file"));
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

/// A file to which bytes are only appended. If an append fails, the file is cut back to its durable length.
#[derive(Debug)]
pub struct AppendFile {
    file: Box<dyn OpenFile>,
    durable: u64,
    is_dirty: bool,
}

impl AppendFile {
    /// Begins an empty file on the real disk. An existing file of this name is emptied.
    ///
    /// # Errors
    /// The error of the operating system.
    pub fn begin(path: &Path) -> io::Result<Self> {
        let mut file = match RealDisk.create(path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => RealDisk.open(path)?,
            other => other?,
        };
        file.cut(0)?;
        Ok(Self::over(file, 0))
    }

    /// Continues an open file after its first `length` bytes.
    #[must_use]
    pub fn over(file: Box<dyn OpenFile>, length: u64) -> Self {
        Self { file, durable: length, is_dirty: false }
    }

    /// Returns the number of bytes that are durable.
    #[must_use]
    pub fn durable(&self) -> u64 {
        self.durable
    }

    /// Returns the open file.
    pub fn file(&mut self) -> &mut dyn OpenFile {
        self.file.as_mut()
    }

    /// Appends bytes and makes them durable. If an error occurs, the file is cut back to its length before the call.
    ///
    /// # Errors
    /// The error of the operating system. The file then contains none of the bytes.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.is_dirty {
            self.cut_back()?;
        }
        let done = self.file.write_at(self.durable, bytes).and_then(|()| self.file.sync());
        match &done {
            Ok(()) => self.durable += bytes.len() as u64,
            Err(_) => {
                // Cutting back needs no free space. If it fails, the next append tries it again.
                self.is_dirty = self.cut_back().is_err();
            }
        }
        done
    }

    /// Removes the last append: cuts the file to `length` bytes.
    ///
    /// # Errors
    /// The error of the operating system. The next append then tries again to cut the file.
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

/// Makes the entry of `path` in its folder durable.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Reads a whole file.
///
/// # Errors
/// The error of the operating system.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Makes a folder and all its parent folders.
///
/// # Errors
/// The error of the operating system.
pub fn make_folder(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path)
}

/// Removes a file. A file that does not exist is not an error.
///
/// # Errors
/// The error of the operating system.
pub fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Returns the files of a folder whose names end with `ending`, sorted by name.
///
/// # Errors
/// The error of the operating system.
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

/// Writes a file completely or not at all, and makes it durable. Makes the folder if it does not exist.
///
/// The bytes first go into a new file in the same folder, which then replaces the old file.
///
/// # Errors
/// The error of the operating system. The old file is then unchanged.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    place_whole(path, bytes)?;
    sync_folder(path)
}

/// Writes a file completely or not at all, but does not make its entry in the folder durable.
///
/// Use this function for all but the last of several files in one folder. [`write_whole`] of the last file then makes
/// all entries durable.
///
/// # Errors
/// The error of the operating system. The old file is then unchanged.
pub fn place_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
    let new = beside(path, ".new");
    // Remove a leftover of an earlier attempt. A symbolic link at this path is removed as well, and never followed.
    remove(&new)?;
    let written = OpenOptions::new().write(true).create_new(true).open(&new).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    if let Err(e) = written.and_then(|()| std::fs::rename(&new, path)) {
        // An incomplete file is useless. If it cannot be removed, the next attempt removes it.
        let _removed = remove(&new);
        return Err(e);
    }
    Ok(())
}
