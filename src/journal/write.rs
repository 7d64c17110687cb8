//! Opens a journal and appends lines to it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::chain::Chain;
use super::item::{Cursor, Item};
use super::{hash, segment};
use crate::disk::{AppendFile, Disk, Place, beside, name_of};
use crate::limits;
use crate::words::{Damage, Seq};

/// An event that the journal can write. The caller has already proven that the line can be read back; the journal only
/// adds the hash of the previous line.
pub trait Line {
    /// Returns the number of the event.
    fn seq(&self) -> Seq;
    /// Returns the line without a newline, at most [`limits::LINE_BYTES_MAX`] bytes. `prev` is the hash of the previous
    /// line, in hexadecimal.
    fn line(&self, prev: &str) -> String;
}

/// The reason why lines were not written. After any of these errors, the journal contains none of the lines.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The operating system reports an error, for example: disk full, disk broken, no permission.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder that caused the error.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The current segment is no longer at its path.
    #[error("{path}: the journal's file was moved or replaced while andon was writing to it")]
    Elsewhere {
        /// The path at which andon opened the file.
        path: PathBuf,
    },
    /// The caller gave lines in the wrong order. This is a bug in andon.
    #[error("event {seq} does not follow event {last}")]
    OutOfOrder {
        /// The number of the event that does not fit.
        seq: Seq,
        /// The number of the last event on disk.
        last: Seq,
    },
}

/// The findings of opening a journal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Opened {
    /// Sentences for the daemon's log about repairs that andon made without a command.
    pub said: Vec<String>,
    /// The parts of the journal that cannot be read.
    pub damage: Vec<Damage>,
}

/// The place of the next line.
#[derive(Debug)]
enum Next {
    /// The segment that is open for appending.
    Open(PathBuf, AppendFile),
    /// An existing segment that is not open yet: its path, its length in bytes, and the unfinished line after this length.
    Segment(PathBuf, u64, Vec<u8>),
    /// A new segment with this number.
    New(u32),
}

/// A journal that is ready for appending. [`Journal::open`] only reads; an unfinished last line is removed before the
/// first line is written.
#[derive(Debug)]
pub struct Journal {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    next: Next,
    /// The highest segment number in the folder.
    highest: u32,
    end: Cursor,
    /// Sentences for the log, until [`Journal::take_opened`] takes them.
    said: Vec<String>,
    /// Damage found after opening, until [`Journal::take_opened`] takes it.
    damage: Vec<Damage>,
}

impl Journal {
    /// Opens the journal in a folder and checks the lines after `from`. `known` is the last line that andon acknowledged,
    /// if the caller knows it.
    ///
    /// # Errors
    /// If the folder cannot be listed.
    pub fn open(
        disk: Arc<dyn Disk>,
        folder: &Path,
        from: &Cursor,
        known: Option<Cursor>,
    ) -> Result<(Self, Opened), JournalError> {
        let fail = |source| JournalError::Io { path: folder.to_owned(), source };
        let mut chain = Chain::read(disk.clone(), folder, from, known).map_err(fail)?;
        let mut damage = Vec::new();
        for item in &mut chain {
            if let Item::Damage(part) = item {
                damage.push(part);
            }
        }
        let (journal, said) = Self::after(disk, folder, chain);
        Ok((journal, Opened { said, damage }))
    }

    /// Takes up a journal where a chain ends that was read to its end. Returns the journal, and what should be known of it
    /// as sentences.
    #[must_use]
    pub fn after(disk: Arc<dyn Disk>, folder: &Path, chain: Chain) -> (Self, Vec<String>) {
        let mut told = Vec::new();
        let end = chain.end();
        let next = match end.appendable {
            Some((segment, length)) => {
                if !end.torn.is_empty() {
                    told.push(format!(
                        "{}: the {} torn bytes after event {} were never acknowledged; andon moves them to another file",
                        segment.name,
                        end.torn.len(),
                        end.cursor.seq
                    ));
                }
                Next::Segment(segment.path, length, end.torn)
            }
            None => Next::New(end.highest + 1),
        };
        let (folder, highest) = (folder.to_owned(), end.highest);
        let (said, damage) = (Vec::new(), Vec::new());
        (Self { disk, folder, next, highest, end: end.cursor, said, damage }, told)
    }

    /// Returns the position of the last line.
    #[must_use]
    pub fn end(&self) -> &Cursor {
        &self.end
    }

    /// Returns the damage and the repairs since the last call.
    pub fn take_opened(&mut self) -> Opened {
        Opened { said: std::mem::take(&mut self.said), damage: std::mem::take(&mut self.damage) }
    }

    /// Appends lines, makes them durable with one fsync, and returns the hash of each line.
    ///
    /// # Errors
    /// If the lines cannot be written. The journal is then unchanged.
    pub fn append<L: Line>(&mut self, lines: &[L]) -> Result<Vec<String>, JournalError> {
        let mut bytes = Vec::new();
        let mut hashes = Vec::with_capacity(lines.len());
        let mut end = self.end.clone();
        for l in lines {
            if l.seq() != end.seq.next() {
                return Err(JournalError::OutOfOrder { seq: l.seq(), last: end.seq });
            }
            let line = l.line(&end.hash);
            end = Cursor { seq: l.seq(), hash: hash(line.as_bytes()) };
            hashes.push(end.hash.clone());
            bytes.extend_from_slice(line.as_bytes());
            bytes.push(b'\n');
        }
        self.write(&bytes)?;
        self.end = end;
        Ok(hashes)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), JournalError> {
        let (path, file) = self.file(bytes.len() as u64)?;
        let path = path.clone();
        let io = |source| JournalError::Io { path: path.clone(), source };
        let before = file.durable();
        file.append(bytes).map_err(io)?;
        // Bytes in a file that was moved or removed do not count as recorded.
        let place = file.file().place().map_err(io);
        if matches!(place, Ok(Place::Here(_))) {
            return Ok(());
        }
        file.take_back(before).map_err(io)?;
        place?;
        Err(JournalError::Elsewhere { path })
    }

    /// Checks that the current segment is still at its path, and puts a removed segment back.
    ///
    /// # Errors
    /// If the segment is not at its path and cannot be put back.
    pub fn look(&mut self) -> Result<(), JournalError> {
        if matches!(self.next, Next::Segment(..)) {
            // Open the segment now: if a person removes the file later, the open handle still reaches its bytes.
            return self.file(0).map(|_| ());
        }
        self.look_at_file()
    }

    fn look_at_file(&mut self) -> Result<(), JournalError> {
        let Next::Open(path, file) = &mut self.next else { return Ok(()) };
        let length = file.durable();
        let path = path.clone();
        match file.file().place().map_err(|source| JournalError::Io { path, source })? {
            Place::Here(found) if found == length => Ok(()),
            Place::Here(_) | Place::Removed | Place::Elsewhere => self.find_again(),
        }
    }

    /// Tests whether the disk has space: writes 4 KiB and removes them again.
    ///
    /// # Errors
    /// If the bytes cannot be written.
    pub fn try_room(&mut self) -> Result<(), JournalError> {
        const ROOM: usize = 4096;
        let (path, file) = self.file(ROOM as u64)?;
        let path = path.clone();
        let before = file.durable();
        let tried = file.append(&[0; ROOM]).and_then(|()| file.take_back(before));
        tried.map_err(|source| JournalError::Io { path, source })
    }

    /// Returns the open segment for the next `bytes` bytes. Begins a new segment if the current segment would be too long.
    fn file(&mut self, bytes: u64) -> Result<(&PathBuf, &mut AppendFile), JournalError> {
        self.look_at_file()?;
        if let Next::Open(_, file) = &self.next
            && file.durable() > 0
            && file.durable() + bytes > limits::SEGMENT_BYTES
        {
            self.next = Next::New(self.highest + 1);
        }
        if let Next::Segment(path, length, torn) = &self.next {
            let (path, length, torn) = (path.clone(), *length, torn.clone());
            match self.open_segment(&path, length, &torn) {
                Ok(file) => self.next = Next::Open(path, file),
                Err(JournalError::Elsewhere { .. }) => {
                    self.read_again()?;
                    return Err(JournalError::Elsewhere { path });
                }
                Err(e) => return Err(e),
            }
        }
        if let Next::New(number) = self.next {
            self.begin(number)?;
        }
        match &mut self.next {
            Next::Open(path, file) => Ok((path, file)),
            Next::Segment(..) | Next::New(_) => Err(JournalError::Elsewhere { path: self.folder.clone() }),
        }
    }

    /// Opens an existing segment for appending. Copies an unfinished last line into another file and then removes it here.
    fn open_segment(&self, path: &Path, length: u64, torn: &[u8]) -> Result<AppendFile, JournalError> {
        let io = |source| JournalError::Io { path: path.to_owned(), source };
        let mut file = self.disk.open(path).map_err(io)?;
        let found = file.place().map_err(io)?;
        if found != Place::Here(length + torn.len() as u64) {
            return Err(JournalError::Elsewhere { path: path.to_owned() });
        }
        if !torn.is_empty() {
            let aside = beside(path, &format!(".torn-after-{}", self.end.seq));
            self.disk.write_whole(&aside, torn).map_err(io)?;
            file.cut(length).map_err(io)?;
            file.sync().map_err(io)?;
        }
        Ok(AppendFile::over(file, length))
    }

    fn begin(&mut self, number: u32) -> Result<(), JournalError> {
        let path = self.folder.join(segment::name_of(number));
        let made = self.disk.make_folder(&self.folder).and_then(|()| self.disk.create(&path));
        match made {
            Ok(file) => {
                self.highest = number;
                self.next = Next::Open(path, AppendFile::over(file, 0));
                Ok(())
            }
            // Another program made a file of this name. andon leaves the file alone and tries the next number.
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => self.begin(number + 1),
            Err(source) => Err(JournalError::Io { path, source }),
        }
    }

    /// Called when the current segment is not at its path or has another length. Writes a removed segment back from the
    /// open handle; in every other case reads the folder again.
    fn find_again(&mut self) -> Result<(), JournalError> {
        if let Next::Open(path, file) = &mut self.next {
            let path = path.clone();
            let io = |source| JournalError::Io { path: path.clone(), source };
            let length = file.durable();
            match file.file().place().map_err(io)? {
                Place::Here(found) if found == length => return Ok(()),
                Place::Here(_) => {}
                Place::Removed => {
                    let bytes = file.file().read_back(length).map_err(io)?;
                    self.disk.make_folder(&self.folder).map_err(io)?;
                    self.disk.write_whole(&path, &bytes).map_err(io)?;
                    self.said.push(format!(
                        "{}: the file was removed while andon was writing to it; andon put it back, {length} bytes",
                        name_of(&path)
                    ));
                }
                Place::Elsewhere if self.is_away() => return Err(JournalError::Elsewhere { path }),
                Place::Elsewhere => {}
            }
        }
        self.read_again()
    }

    fn read_again(&mut self) -> Result<(), JournalError> {
        let (again, opened) =
            Self::open(self.disk.clone(), &self.folder, &Cursor::default(), Some(self.end.clone()))?;
        let said = std::mem::take(&mut self.said).into_iter().chain(opened.said).collect();
        let damage = std::mem::take(&mut self.damage).into_iter().chain(opened.damage).collect();
        *self = Self { said, damage, ..again };
        Ok(())
    }

    /// Returns true if the folder is empty: a person probably moved all segments, and may move them back.
    fn is_away(&self) -> bool {
        self.disk.entries(&self.folder).is_ok_and(|entries| entries.is_empty())
    }
}
