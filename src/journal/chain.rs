//! [`Chain`] reads the journal, checks the hash chain, and returns each line as a record or as damage.
//!
//! The next line proves a line: its `prev` must be the hash of that line. If `prev` and hash differ, one of the two
//! lines was changed. If `prev` itself was changed, it differs from the right hash in a few characters. If the earlier
//! line was changed, its new hash differs in nearly all characters. So the reader can name the changed line, and every
//! other line is still a record.
//!
//! Start, rebuild, verify, reports and the feed all read through [`Chain`]. Damage never stops the reading.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::hash;
use super::item::{Cursor, Entry, Item};
use super::segment::{self, Head, Lines, RawLine, Segment, head_of};
use crate::disk::Disk;
use crate::words::{Damage, Seq};

/// The end of a journal, and the place where appending can continue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct End {
    /// The position of the last event.
    pub cursor: Cursor,
    /// The segment to append to, and its length in bytes; `None` if the next line needs a new segment.
    pub appendable: Option<(Segment, u64)>,
    /// Bytes of an unfinished line after that length; empty if there are none.
    pub torn: Vec<u8>,
    /// The highest segment number in the folder.
    pub highest: u32,
}

/// Consecutive lines that are not records.
struct Unreadable {
    segment: String,
    line: u64,
    why: String,
    /// The highest event number that appears in these lines.
    hint: Seq,
    count: u64,
}

/// The segment that is being read, and the position in it.
struct Reading {
    segment: Segment,
    name: Arc<str>,
    lines: Lines,
    line: u64,
    offset: u64,
}

/// Reads the lines of a journal after a position, or from the beginning.
pub struct Chain {
    disk: Arc<dyn Disk>,
    segments: VecDeque<Segment>,
    reading: Option<Reading>,
    /// Lines up to this event are skipped.
    after: Seq,
    /// The last line that is proven so far.
    last: Cursor,
    /// True if `last.hash` is the hash of the line as andon wrote it. After a changed line this hash is unknown.
    is_last_known: bool,
    /// A line that is not proven yet, because the next line has not been read.
    held: Option<Entry>,
    unreadable: Option<Unreadable>,
    /// The segment whose lines repeat events that were read before.
    repeating: Option<String>,
    /// The last acknowledged line, if the caller knows it.
    known: Option<Cursor>,
    /// True if lines after `known` are not read, because another thread may be writing these lines.
    stops_at_known: bool,
    items: VecDeque<Item>,
    is_over: bool,
    end: End,
    /// Bytes of all segments that are read, and of those that were read to their end.
    bytes: (u64, u64),
}

impl Chain {
    /// Prepares to read all lines after a position. `known` is the last line that andon acknowledged, if the caller knows
    /// it.
    ///
    /// # Errors
    /// If the folder cannot be listed.
    pub fn read(
        disk: Arc<dyn Disk>,
        folder: &Path,
        after: &Cursor,
        known: Option<Cursor>,
    ) -> io::Result<Self> {
        let found = segment::list(disk.as_ref(), folder)?;
        let mut items = VecDeque::new();
        for name in found.refused {
            let why = "this is a link or a folder, not a plain file: andon does not read it".to_owned();
            items.push_back(Item::Damage(nothing_lost(name, 0, after.seq, why)));
        }
        let (segments, exchanged) = segment::in_order(disk.as_ref(), found.segments);
        if let Some(name) = exchanged {
            let why = "the segments are not in the order of their events: files were renamed or swapped";
            items.push_back(Item::Damage(nothing_lost(name, 0, after.seq, why.to_owned())));
        }
        let first = segments
            .iter()
            .rposition(|(_, first)| first.is_some_and(|first| first <= after.seq))
            .unwrap_or(0);
        let segments: VecDeque<Segment> = segments.into_iter().skip(first).map(|(s, _)| s).collect();
        let end = End { cursor: after.clone(), appendable: None, torn: Vec::new(), highest: found.highest };
        let bytes = (segments.iter().map(|s| s.bytes).sum(), 0);
        Ok(Self {
            disk,
            segments,
            reading: None,
            after: after.seq,
            last: after.clone(),
            is_last_known: !after.hash.is_empty(),
            held: None,
            unreadable: None,
            repeating: None,
            known,
            stops_at_known: false,
            items,
            is_over: false,
            end,
            bytes,
        })
    }

    /// Stops after the last acknowledged line, because another thread may be writing the lines after it.
    #[must_use]
    pub fn up_to_known(mut self) -> Self {
        self.stops_at_known = true;
        self
    }

    /// Returns the position of the last event; valid when the iterator has ended.
    #[must_use]
    pub fn cursor(&self) -> &Cursor {
        &self.end.cursor
    }

    /// How much of the files was read, from 0 to 1.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    pub fn share(&self) -> f64 {
        let (all, read) = self.bytes;
        let read = read + self.reading.as_ref().map_or(0, |r| r.offset);
        if all == 0 { 1.0 } else { (read as f64 / all as f64).min(1.0) }
    }

    pub(super) fn end(self) -> End {
        self.end
    }

    fn step(&mut self) {
        if self.stops_at_known
            && let (Some(known), Some(held)) = (&self.known, &self.held)
            && held.seq >= known.seq
        {
            let known = known.seq;
            for segment in std::mem::take(&mut self.segments) {
                let first = segment::first_seq(self.disk.as_ref(), &segment);
                if let Some(first) = first.filter(|first| *first <= known) {
                    self.items.push_back(copy(segment.name, 1, first));
                }
            }
            self.finish();
            return;
        }
        let Some(reading) = &mut self.reading else {
            match self.segments.pop_front() {
                Some(segment) => self.begin(segment),
                None => self.finish(),
            }
            return;
        };
        match reading.lines.next_line() {
            Ok(Some(raw)) => {
                reading.line += 1;
                reading.offset += raw.length();
                self.take(raw);
            }
            Ok(None) => {
                self.bytes.1 += reading.segment.bytes;
                self.reading = None;
            }
            Err(e) => {
                self.reading = None;
                self.cannot_read(Seq(0), format!("the file cannot be read: {e}"));
            }
        }
    }

    fn begin(&mut self, segment: Segment) {
        self.repeating = None;
        match self.disk.reader(&segment.path) {
            Ok(reader) => {
                let lines = Lines::new(reader);
                if segment.bytes == 0 && segment.number == self.end.highest {
                    self.end.appendable = Some((segment.clone(), 0));
                }
                let name = segment.name.as_str().into();
                self.reading = Some(Reading { segment, name, lines, line: 0, offset: 0 });
            }
            Err(e) => {
                let (name, line) = (segment.name, 0);
                let why = format!("the file cannot be opened: {e}");
                self.unreadable.get_or_insert(Unreadable {
                    segment: name,
                    line,
                    why,
                    hint: Seq(0),
                    count: 0,
                });
            }
        }
    }

    fn place(&self) -> (String, u64) {
        self.reading.as_ref().map_or_else(Default::default, |r| (r.segment.name.clone(), r.line))
    }

    fn cannot_read(&mut self, hint: Seq, why: String) {
        self.end.appendable = None;
        let (segment, line) = self.place();
        let all = self.unreadable.get_or_insert(Unreadable { segment, line, why, hint, count: 0 });
        all.hint = all.hint.max(hint);
        all.count += 1;
    }

    fn take(&mut self, raw: RawLine) {
        let bytes = match raw {
            RawLine::Whole(bytes) => bytes,
            RawLine::Open(bytes) => {
                self.take_open_end(bytes);
                return;
            }
            RawLine::TooLong(length) => {
                self.cannot_read(
                    Seq(0),
                    format!("the line has {length} bytes: andon does not write such long lines"),
                );
                return;
            }
        };
        let head = head_of(&bytes);
        let text = String::from_utf8(bytes);
        match (head, text) {
            (Some(head), Ok(line)) => self.take_line(head, line),
            (_, text) => {
                let bytes = text.map_or_else(|e| e.into_bytes(), String::into_bytes);
                self.cannot_read(hint_of(&bytes, self.proven()), "the line is not a record".to_owned());
            }
        }
    }

    /// Takes the bytes of a file that does not end with a newline: an unfinished write, or a last line that was changed.
    fn take_open_end(&mut self, bytes: Vec<u8>) {
        let is_last = self.reading.as_ref().is_some_and(|r| r.segment.number == self.end.highest);
        let was_acknowledged = self.known.as_ref().is_some_and(|k| k.seq > self.proven());
        if is_last && !was_acknowledged && is_torn(&bytes) {
            if let Some(r) = self.reading.as_ref().filter(|r| r.line == 1) {
                self.end.appendable = Some((r.segment.clone(), 0));
            }
            self.end.torn = bytes;
            return;
        }
        let hint = hint_of(&bytes, self.proven());
        self.cannot_read(hint, "the file ends in the middle of a line".to_owned());
    }

    /// Returns the number of the last line that was read as a record.
    fn proven(&self) -> Seq {
        self.held.as_ref().map_or(self.last.seq, |h| h.seq)
    }

    fn take_line(&mut self, head: Head, line: String) {
        if head.seq < self.after && self.held.is_none() {
            self.unreadable = None;
            return;
        }
        let hash = hash(line.as_bytes());
        if head.seq == self.after && self.after > Seq(0) && self.held.is_none() {
            self.unreadable = None;
            if self.is_last_known && hash != self.last.hash {
                let why =
                    "the event is not the event that andon acknowledged: the line was changed".to_owned();
                self.damage(head.seq, head.seq, why);
            }
            self.can_append();
            return;
        }
        let Some(reading) = &self.reading else { return };
        let (segment, number) = (reading.name.clone(), reading.line);
        let entry = Entry { seq: head.seq, hash, line, segment, number };
        let last = self
            .held
            .as_ref()
            .map_or_else(|| self.last.clone(), |h| Cursor { seq: h.seq, hash: h.hash.clone() });
        let is_proven = self.held.is_some() || self.is_last_known;
        let is_next = head.seq == last.seq.next();
        if head.prev == last.hash && !is_next && self.unreadable.is_none() {
            // `prev` is right and the number is not, so the number of this line was changed.
            self.prove();
            let why = format!("the line has the wrong event number {}: the line was changed", head.seq);
            self.damage(last.seq.next(), last.seq.next(), why);
            self.last_was_changed(last.seq.next());
        } else if head.seq <= last.seq {
            self.repeat(head.seq);
        } else if is_next && is_proven && head.prev != last.hash && self.unreadable.is_none() {
            self.disagree(&head.prev, &last, entry);
        } else {
            self.prove();
            self.end_unreadable(head.seq);
            self.hold(entry);
        }
    }

    /// Decides which of two consecutive lines was changed: the `prev` of the later line is not the hash of the earlier.
    fn disagree(&mut self, prev: &str, last: &Cursor, entry: Entry) {
        let is_hash = prev.len() == last.hash.len() && prev.bytes().all(|b| b.is_ascii_hexdigit());
        let differing = prev.bytes().zip(last.hash.bytes()).filter(|(a, b)| a != b).count();
        if is_hash && differing > prev.len() / 2 {
            // `prev` is a whole other hash, so the earlier line was different when this line was written.
            match self.held.take() {
                Some(held) => {
                    let why = "the hash of the line is not the hash in the next line: the line was changed"
                        .to_owned();
                    let seq = held.seq;
                    self.items.push_back(Item::Damage(held.damaged(why)));
                    self.last = Cursor { seq, hash: prev.to_owned() };
                    self.is_last_known = true;
                }
                None => {
                    let why = format!(
                        "the line does not follow event {}: one of the two lines was changed",
                        last.seq
                    );
                    let (segment, line) = self.place();
                    self.items.push_back(Item::Damage(nothing_lost(segment, line, entry.seq, why)));
                }
            }
            self.hold(entry);
        } else {
            self.prove();
            let why = "`prev` is not the hash of the previous line: the line was changed".to_owned();
            self.damage(entry.seq, entry.seq, why);
            self.last_was_changed(entry.seq);
        }
    }

    /// Notes that the line just read is event `seq`, and that its content was changed.
    fn last_was_changed(&mut self, seq: Seq) {
        self.last.seq = seq;
        self.is_last_known = false;
        self.end.appendable = None;
    }

    /// Takes a line whose event was read before, and reports the segment as a copy, once.
    fn repeat(&mut self, seq: Seq) {
        self.prove();
        self.end.appendable = None;
        let (segment, line) = self.place();
        if self.repeating.as_ref() != Some(&segment) {
            self.items.push_back(copy(segment.clone(), line, seq));
            self.repeating = Some(segment);
        }
    }

    /// Returns the held line as a record: the next line proves it.
    fn prove(&mut self) {
        if let Some(held) = self.held.take() {
            self.last = Cursor { seq: held.seq, hash: held.hash.clone() };
            self.is_last_known = true;
            self.items.push_back(Item::Record(held));
        }
    }

    fn hold(&mut self, entry: Entry) {
        self.held = Some(entry);
        self.can_append();
    }

    /// Notes that the line just read is the end of the chain so far.
    fn can_append(&mut self) {
        let reading = self.reading.as_ref().filter(|r| r.segment.number == self.end.highest);
        self.end.appendable = reading.map(|r| (r.segment.clone(), r.offset));
    }

    fn damage(&mut self, first_seq: Seq, last_seq: Seq, why: String) {
        let (segment, line) = self.place();
        self.items.push_back(Item::Damage(Damage { segment, line, first_seq, last_seq, why }));
    }

    /// Reports the events between the last record and event `next` as damage.
    fn end_unreadable(&mut self, next: Seq) {
        let first_seq = self.last.seq.next();
        let last_seq = Seq(next.0.saturating_sub(1));
        let (segment, line, why) = match self.unreadable.take() {
            Some(u) => (u.segment, u.line, u.why),
            None if first_seq > last_seq => return,
            None => {
                let (segment, line) = self.place();
                (segment, line, format!("events {first_seq} to {last_seq} are missing before this line"))
            }
        };
        self.items.push_back(Item::Damage(Damage { segment, line, first_seq, last_seq, why }));
    }

    fn finish(&mut self) {
        self.is_over = true;
        let known = self.known.take();
        if let (Some(known), Some(held)) = (&known, &self.held)
            && known.seq == held.seq
            && !known.hash.is_empty()
            && known.hash != held.hash
            && let Some(held) = self.held.take()
        {
            let why = "the event is not the event that andon acknowledged: the line was changed".to_owned();
            self.items.push_back(Item::Damage(held.damaged(why)));
            self.last = known.clone();
        }
        self.prove();
        let seen = self.last.seq;
        let known_seq = known.as_ref().map_or(Seq(0), |k| k.seq);
        if let Some(u) = &self.unreadable {
            let end = known_seq.max(u.hint).max(Seq(seen.0 + u.count));
            self.end_unreadable(end.next());
            self.last.seq = end;
        } else if known_seq > seen {
            self.end.appendable = None;
            let segment = segment::name_of(self.end.highest.max(1));
            let why = format!(
                "the journal ends at event {seen}, but andon acknowledged event {known_seq}: its end was cut off"
            );
            let damage = Damage { segment, line: 0, first_seq: seen.next(), last_seq: known_seq, why };
            self.items.push_back(Item::Damage(damage));
        }
        if let Some(known) = known
            && known.seq >= self.last.seq
        {
            self.last.seq = known.seq;
            if !known.hash.is_empty() {
                self.last.hash = known.hash;
            }
        }
        self.end.cursor = self.last.clone();
    }
}

impl Iterator for Chain {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        while self.items.is_empty() && !self.is_over {
            self.step();
        }
        self.items.pop_front()
    }
}

fn copy(segment: String, line: u64, seq: Seq) -> Item {
    let why = format!("an earlier segment contains event {seq} and others already: this is a copy");
    Item::Damage(nothing_lost(segment, line, seq, why))
}

/// Returns damage that loses no event: its `last_seq` is before its `first_seq`.
fn nothing_lost(segment: String, line: u64, at: Seq, why: String) -> Damage {
    Damage { segment, line, first_seq: at.next(), last_seq: at, why }
}

/// Returns true if the bytes at the end of a file are the beginning of a line, or zeros that a power failure left.
fn is_torn(bytes: &[u8]) -> bool {
    let written = bytes.split(|b| *b == 0).next().unwrap_or_default();
    let is_rest_empty = bytes.get(written.len()..).unwrap_or_default().iter().all(|b| *b == 0);
    let is_begun = written.is_empty()
        || match serde_json::from_slice::<serde::de::IgnoredAny>(written) {
            Ok(_) => true,
            Err(e) => e.is_eof(),
        };
    is_rest_empty && is_begun
}

/// Returns the highest event number that appears in unreadable bytes, so that andon does not use this number again.
fn hint_of(bytes: &[u8], last: Seq) -> Seq {
    const MARK: &[u8] = b"{\"seq\":";
    let mut hint = last;
    let mut rest = bytes;
    while let Some(at) = rest.windows(MARK.len()).position(|w| w == MARK) {
        rest = rest.get(at + MARK.len()..).unwrap_or_default();
        let digits: Vec<u8> = rest.iter().take(20).take_while(|b| b.is_ascii_digit()).copied().collect();
        let number = String::from_utf8(digits).ok().and_then(|d| d.parse::<u64>().ok());
        // A number that is much too high was itself changed.
        if let Some(number) = number.filter(|n| *n <= last.0.saturating_add(1024)) {
            hint = hint.max(Seq(number));
        }
    }
    hint.max(last.next())
}
