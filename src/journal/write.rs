//! Opening and appending.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::chain::Chain;
use super::item::{Cursor, Item};
use super::{hash, segment};
use crate::disk::{AppendFile, Disk, Place, beside, name_of};
use crate::limits;
use crate::words::{Damage, Seq};

/// What the journal writes: an event whose line was proven before. Only the hash of the line before is filled in.
pub trait Line {
    /// The event's number.
    fn seq(&self) -> Seq;
    /// The line without its newline; at most [`limits::LINE_BYTES_MAX`] bytes.
    fn line(&self, prev: &str) -> String;
}

/// Why lines were not written. Nothing was appended then.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The operating system refuses: a full disk, a broken one, a missing right.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What it says.
        source: io::Error,
    },
    /// The file that is written is no longer where it was.
    #[error("{path}: the journal's file was moved away or replaced while andon was writing it")]
    Elsewhere {
        /// Where it was.
        path: PathBuf,
    },
    /// Lines were asked for out of their order: a bug of andon.
    #[error("event {seq} does not follow event {last}")]
    OutOfOrder {
        /// The event.
        seq: Seq,
        /// The last one on disk.
        last: Seq,
    },
}

/// What opening found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Opened {
    /// Sentences for the log, about what was done by itself.
    pub said: Vec<String>,
    /// Parts that cannot be read.
    pub damage: Vec<Damage>,
}

/// Where the next line goes.
#[derive(Debug)]
enum Next {
    /// Into this open file.
    Open(PathBuf, AppendFile),
    /// Into this segment at this length, after a torn end was put aside.
    Segment(PathBuf, u64, Vec<u8>),
    /// Into a new segment with this number.
    New(u32),
}

/// The journal, ready for appending. Opening it only reads: what has to be cut is cut before the first line is written.
#[derive(Debug)]
pub struct Journal {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    next: Next,
    /// The highest number of a segment.
    highest: u32,
    end: Cursor,
    /// Sentences about what was done by itself, until they are taken.
    said: Vec<String>,
    damage: Vec<Damage>,
}

impl Journal {
    /// Opens the journal in a folder. `from` is the place from which on it is read, `known` the last line that is known
    /// to have been acknowledged.
    ///
    /// # Errors
    /// When the folder cannot be listed.
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
                        "{}: {} torn bytes after event {} were never acknowledged; they are put aside",
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

    /// The last line.
    #[must_use]
    pub fn end(&self) -> &Cursor {
        &self.end
    }

    /// What was found and done since this was asked last.
    pub fn take_opened(&mut self) -> Opened {
        Opened { said: std::mem::take(&mut self.said), damage: std::mem::take(&mut self.damage) }
    }

    /// Appends lines and makes them durable with one fsync. Returns each line's hash.
    ///
    /// # Errors
    /// When they could not be written; the journal is as before.
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
        // What was written into a file that nobody finds again is not on record.
        let place = file.file().place().map_err(io);
        if matches!(place, Ok(Place::Here(_))) {
            return Ok(());
        }
        file.take_back(before).map_err(io)?;
        place?;
        Err(JournalError::Elsewhere { path })
    }

    /// Whether the journal's file is still where it was; mends what it can.
    ///
    /// # Errors
    /// When it is not and cannot be put back.
    pub fn look(&mut self) -> Result<(), JournalError> {
        if matches!(self.next, Next::Segment(..)) {
            // An open handle reaches the bytes of a file that somebody removes.
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

    /// Whether a line could be written: writes some bytes and takes them back.
    ///
    /// # Errors
    /// When it could not.
    pub fn try_room(&mut self) -> Result<(), JournalError> {
        const ROOM: usize = 4096;
        let (path, file) = self.file(ROOM as u64)?;
        let path = path.clone();
        let before = file.durable();
        let tried = file.append(&[0; ROOM]).and_then(|()| file.take_back(before));
        tried.map_err(|source| JournalError::Io { path, source })
    }

    /// The file for so many more bytes.
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

    /// Puts a torn end aside, cuts it off, and goes on after it.
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
            // Something stands there that is not ours: it is left alone.
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => self.begin(number + 1),
            Err(source) => Err(JournalError::Io { path, source }),
        }
    }

    /// The file is not where it was, or not as long: puts it back from the open handle if it was removed, else reads the
    /// folder again.
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
                        "{}: the file was removed while andon was writing it; andon put it back, {length} bytes",
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

    /// Whether the whole folder was moved away: then it may come back.
    fn is_away(&self) -> bool {
        self.disk.entries(&self.folder).is_ok_and(|entries| entries.is_empty())
    }
}
