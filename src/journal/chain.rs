//! The one reader of the journal. It checks the chain and gives each line as a record or as damage.
//!
//! A line is proven by the line after it, whose `prev` is its hash. Where two neighbours disagree, one of them was
//! changed. A changed `prev` differs from the right hash in a few characters; the hash of a changed line differs in
//! nearly all of them. So the reader names the line that was changed, and every other line is a record.
//! Start, rebuild, verify, reports and the feed all read through [`Chain`]; it stops at nothing.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::hash;
use super::item::{Cursor, Entry, Item};
use super::segment::{self, Head, Lines, RawLine, Segment, head_of};
use crate::disk::Disk;
use crate::words::{Damage, Seq};

/// Where a journal ends and how it can be continued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct End {
    /// The last event.
    pub cursor: Cursor,
    /// The segment to go on with and its length in bytes, where its last line is the chain's end.
    pub appendable: Option<(Segment, u64)>,
    /// Bytes of an unfinished line after that length.
    pub torn: Vec<u8>,
    /// The highest number of a segment.
    pub highest: u32,
}

/// Lines in a row that are not records.
struct Unreadable {
    segment: String,
    line: u64,
    why: String,
    /// The highest number that seems to stand in them.
    hint: Seq,
    count: u64,
}

struct Reading {
    segment: Segment,
    name: Arc<str>,
    lines: Lines,
    line: u64,
    offset: u64,
}

/// Reads a journal's lines after a place, or from its begin.
pub struct Chain {
    disk: Arc<dyn Disk>,
    segments: VecDeque<Segment>,
    reading: Option<Reading>,
    /// Lines up to this event are passed over.
    after: Seq,
    /// The end of what is proven so far.
    last: Cursor,
    /// Whether the hash in `last` is of the line as it was written; after a changed line nobody knows that hash.
    is_last_known: bool,
    /// A line that waits for the one after it.
    held: Option<Entry>,
    unreadable: Option<Unreadable>,
    /// The segment whose lines repeat what was read before.
    repeating: Option<String>,
    /// What is known to have been acknowledged, from elsewhere.
    known: Option<Cursor>,
    /// Whether lines after `known` are left alone: they are being written.
    stops_at_known: bool,
    items: VecDeque<Item>,
    is_over: bool,
    end: End,
    /// Bytes of all segments that are read, and of those that were read to their end.
    bytes: (u64, u64),
}

impl Chain {
    /// Reads everything after a place. `known` is the last line that is known to have been acknowledged.
    ///
    /// # Errors
    /// When the folder cannot be listed.
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
        let (segments, exchanged) = in_order(disk.as_ref(), found.segments);
        if let Some(name) = exchanged {
            let why = "the segments are not in the order of their events: files were renamed or exchanged";
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

    /// Leaves lines after the last acknowledged one alone: somebody may be writing them.
    #[must_use]
    pub fn up_to_known(mut self) -> Self {
        self.stops_at_known = true;
        self
    }

    /// The place up to which everything was read.
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
                self.cannot_read(Seq(0), format!("it cannot be read: {e}"));
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
                let why = format!("it cannot be opened: {e}");
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
                self.cannot_read(Seq(0), format!("the line has {length} bytes: andon writes no such line"));
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

    /// The file ends without a newline: a write that was torn, or a last line that was changed.
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

    /// The number of the last line that was read as a record.
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
                let why = "the event is not the one that had been acknowledged: it was changed".to_owned();
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
            // The line follows the last one, so its own number was changed.
            self.prove();
            let why = format!("the line says it is event {}: it was changed", head.seq);
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

    /// Two neighbours of which one was changed.
    fn disagree(&mut self, prev: &str, last: &Cursor, entry: Entry) {
        let is_hash = prev.len() == last.hash.len() && prev.bytes().all(|b| b.is_ascii_hexdigit());
        let differing = prev.bytes().zip(last.hash.bytes()).filter(|(a, b)| a != b).count();
        if is_hash && differing > prev.len() / 2 {
            // The line before carried another hash when this one was written.
            match self.held.take() {
                Some(held) => {
                    let why = "the line is not the one that the next line proves: it was changed".to_owned();
                    let seq = held.seq;
                    self.items.push_back(Item::Damage(held.damaged(why)));
                    self.last = Cursor { seq, hash: prev.to_owned() };
                    self.is_last_known = true;
                }
                None => {
                    let why = format!("it does not follow event {}: one of the two was changed", last.seq);
                    let (segment, line) = self.place();
                    self.items.push_back(Item::Damage(nothing_lost(segment, line, entry.seq, why)));
                }
            }
            self.hold(entry);
        } else {
            self.prove();
            let why = "its prev is not the hash of the line before: it was changed".to_owned();
            self.damage(entry.seq, entry.seq, why);
            self.last_was_changed(entry.seq);
        }
    }

    /// The line just read is this event, but not as it was written.
    fn last_was_changed(&mut self, seq: Seq) {
        self.last.seq = seq;
        self.is_last_known = false;
        self.end.appendable = None;
    }

    fn repeat(&mut self, seq: Seq) {
        self.prove();
        self.end.appendable = None;
        let (segment, line) = self.place();
        if self.repeating.as_ref() != Some(&segment) {
            self.items.push_back(copy(segment.clone(), line, seq));
            self.repeating = Some(segment);
        }
    }

    /// The held line is a record.
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

    /// The line just read is the chain's end so far.
    fn can_append(&mut self) {
        let reading = self.reading.as_ref().filter(|r| r.segment.number == self.end.highest);
        self.end.appendable = reading.map(|r| (r.segment.clone(), r.offset));
    }

    fn damage(&mut self, first_seq: Seq, last_seq: Seq, why: String) {
        let (segment, line) = self.place();
        self.items.push_back(Item::Damage(Damage { segment, line, first_seq, last_seq, why }));
    }

    /// What lies between the last record and event `next` cannot be read.
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
            let why = "the event is not the one that had been acknowledged: it was changed".to_owned();
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
                "the journal ends at event {seen}, but event {known_seq} had been acknowledged: its end was cut off"
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
    let why = format!("event {seq} and others stand in an earlier segment already: this is a copy");
    Item::Damage(nothing_lost(segment, line, seq, why))
}

fn nothing_lost(segment: String, line: u64, at: Seq, why: String) -> Damage {
    Damage { segment, line, first_seq: at.next(), last_seq: at, why }
}

/// Whether bytes at a file's end are the begin of a line that was being written, or blocks that never were.
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

/// The highest event number that seems to stand in bytes which are not a record, so that it is not given again.
fn hint_of(bytes: &[u8], last: Seq) -> Seq {
    const MARK: &[u8] = b"{\"seq\":";
    let mut hint = last;
    let mut rest = bytes;
    while let Some(at) = rest.windows(MARK.len()).position(|w| w == MARK) {
        rest = rest.get(at + MARK.len()..).unwrap_or_default();
        let digits: Vec<u8> = rest.iter().take(20).take_while(|b| b.is_ascii_digit()).copied().collect();
        let number = String::from_utf8(digits).ok().and_then(|d| d.parse::<u64>().ok());
        // A number that is far off was changed itself.
        if let Some(number) = number.filter(|n| *n <= last.0.saturating_add(1024)) {
            hint = hint.max(Seq(number));
        }
    }
    hint.max(last.next())
}

/// Segments in the order of their events, and the name of one that stands elsewhere than its number says.
fn in_order(disk: &dyn Disk, segments: Vec<Segment>) -> (Vec<(Segment, Option<Seq>)>, Option<String>) {
    let mut before = Seq(0);
    let mut found = Vec::new();
    for segment in segments {
        let first = segment::first_seq(disk, &segment);
        before = first.unwrap_or(before);
        found.push((segment, first, before));
    }
    // A copy of an earlier segment repeats its events and is told as a copy when it is read.
    let mut seen = BTreeSet::new();
    let mut highest = Seq(0);
    let mut exchanged = None;
    for (segment, place, _) in &mut found {
        let Some(first) = *place else { continue };
        if !seen.insert(first) {
            // Nobody begins to read in a copy: what comes after its events does not follow in it.
            *place = None;
        } else if first < highest {
            exchanged.get_or_insert_with(|| segment.name.clone());
        }
        highest = highest.max(first);
    }
    if exchanged.is_some() {
        found.sort_by_key(|(segment, _, order)| (*order, segment.number));
    }
    (found.into_iter().map(|(segment, first, _)| (segment, first)).collect(), exchanged)
}
