//! A disk in memory for tests. It can be full, tear a write, lose its power, and lose or exchange files.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Disk, Kind, OpenFile, Place};

/// The fault that a test sets on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trouble {
    /// The disk has no fault.
    #[default]
    None,
    /// The disk is full: a write fails after this many bytes.
    Full(u64),
    /// Writing works, and fsync fails.
    NoSync,
    /// Every operation fails.
    Broken,
}

#[derive(Debug, Default)]
struct Bytes {
    now: Vec<u8>,
    durable: Vec<u8>,
}

type File = Arc<Mutex<Bytes>>;

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<PathBuf, File>,
    folders: BTreeSet<PathBuf>,
    trouble: Trouble,
    /// Files that were removed while they were open.
    removed: Vec<File>,
}

/// A disk in memory. All clones share the same files.
#[derive(Debug, Clone, Default)]
pub struct FakeDisk(Arc<Mutex<State>>);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn missing() -> io::Error {
    io::Error::from(io::ErrorKind::NotFound)
}

impl FakeDisk {
    /// Sets the fault of the disk.
    pub fn trouble(&self, trouble: Trouble) {
        lock(&self.0).trouble = trouble;
    }

    /// Simulates a power failure: bytes that are not durable are lost, except the first `torn` of them.
    pub fn power_cut(&self, torn: usize) {
        for file in lock(&self.0).files.values() {
            let mut bytes = lock(file);
            let kept = bytes.now.len().min(bytes.durable.len() + torn);
            let mut left = bytes.durable.clone();
            if bytes.now.len() > left.len() && bytes.now.starts_with(&left) {
                left = bytes.now[..kept].to_vec();
            }
            bytes.now.clone_from(&left);
            bytes.durable = left;
        }
    }

    /// Returns true if the durable bytes of any file contain `wanted`.
    pub fn is_durable(&self, wanted: &[u8]) -> bool {
        let has = |file: &File| lock(file).durable.windows(wanted.len()).any(|w| w == wanted);
        lock(&self.0).files.values().any(has)
    }

    /// Returns the content of a file.
    pub fn bytes(&self, path: &Path) -> Option<Vec<u8>> {
        lock(&self.0).files.get(path).map(|f| lock(f).now.clone())
    }

    /// Acts as another program that writes a file; an existing file keeps its identity (inode).
    pub fn put(&self, path: &Path, bytes: Vec<u8>) {
        let mut state = lock(&self.0);
        let file = state.files.entry(path.to_owned()).or_default();
        *lock(file) = Bytes { now: bytes.clone(), durable: bytes };
    }

    /// Acts as another program that removes a file.
    pub fn remove(&self, path: &Path) {
        let mut state = lock(&self.0);
        if let Some(file) = state.files.remove(path) {
            state.removed.push(file);
        }
    }

    /// Acts as another program that moves a file.
    pub fn rename(&self, from: &Path, to: &Path) {
        let mut state = lock(&self.0);
        if let Some(file) = state.files.remove(from) {
            state.files.insert(to.to_owned(), file);
        }
    }

    /// Returns the paths of all files, sorted.
    pub fn files(&self) -> Vec<PathBuf> {
        lock(&self.0).files.keys().cloned().collect()
    }

    fn check(&self) -> io::Result<()> {
        match lock(&self.0).trouble {
            Trouble::Broken => Err(io::Error::other("the disk is broken")),
            Trouble::None | Trouble::Full(_) | Trouble::NoSync => Ok(()),
        }
    }

    fn room(&self) -> io::Result<()> {
        match lock(&self.0).trouble {
            Trouble::None | Trouble::NoSync => Ok(()),
            Trouble::Full(_) => Err(io::Error::from(io::ErrorKind::StorageFull)),
            Trouble::Broken => Err(io::Error::other("the disk is broken")),
        }
    }
}

impl Disk for FakeDisk {
    fn entries(&self, folder: &Path) -> io::Result<Vec<(String, Kind)>> {
        self.check()?;
        let state = lock(&self.0);
        let here = state.files.iter().filter(|(path, _)| path.parent() == Some(folder));
        Ok(here.map(|(path, file)| (super::name_of(path), Kind::File(lock(file).now.len() as u64))).collect())
    }

    fn reader(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        self.check()?;
        Ok(Box::new(Cursor::new(self.bytes(path).ok_or_else(missing)?)))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        self.check()?;
        let file = lock(&self.0).files.get(path).cloned().ok_or_else(missing)?;
        Ok(Box::new(FakeFile { disk: self.clone(), path: path.to_owned(), file }))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        self.room()?;
        if self.bytes(path).is_some() {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists));
        }
        self.put(path, Vec::new());
        self.open(path)
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        self.check()?;
        lock(&self.0).folders.insert(path.to_owned());
        Ok(())
    }

    fn write_whole(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.room()?;
        self.put(path, bytes.to_vec());
        Ok(())
    }
}

#[derive(Debug)]
struct FakeFile {
    disk: FakeDisk,
    path: PathBuf,
    file: File,
}

impl OpenFile for FakeFile {
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.disk.check()?;
        let trouble = lock(&self.disk.0).trouble;
        let fits = match trouble {
            Trouble::Full(room) => usize::try_from(room).unwrap().min(bytes.len()),
            Trouble::None | Trouble::NoSync | Trouble::Broken => bytes.len(),
        };
        let at = usize::try_from(at).unwrap();
        let mut file = lock(&self.file);
        let end = (at + fits).max(file.now.len());
        file.now.resize(end, 0);
        file.now[at..at + fits].copy_from_slice(&bytes[..fits]);
        if fits < bytes.len() { Err(io::Error::from(io::ErrorKind::StorageFull)) } else { Ok(()) }
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.check()?;
        if lock(&self.disk.0).trouble == Trouble::NoSync {
            return Err(io::Error::other("input/output error"));
        }
        let mut file = lock(&self.file);
        file.durable = file.now.clone();
        Ok(())
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.disk.check()?;
        lock(&self.file).now.truncate(usize::try_from(length).unwrap());
        Ok(())
    }

    fn read_back(&mut self, length: u64) -> io::Result<Vec<u8>> {
        self.disk.check()?;
        let bytes = lock(&self.file).now.clone();
        Ok(bytes.into_iter().take(usize::try_from(length).unwrap()).collect())
    }

    fn place(&self) -> io::Result<Place> {
        self.disk.check()?;
        let state = lock(&self.disk.0);
        match state.files.get(&self.path) {
            Some(file) if Arc::ptr_eq(file, &self.file) => Ok(Place::Here(lock(file).now.len() as u64)),
            Some(_) => Ok(Place::Elsewhere),
            None if state.removed.iter().any(|f| Arc::ptr_eq(f, &self.file)) => Ok(Place::Removed),
            None => Ok(Place::Elsewhere),
        }
    }
}
