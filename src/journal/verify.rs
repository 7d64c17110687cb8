//! The check of the chain, from the first line to the last.

use std::io;
use std::path::Path;

use super::read::Head;
use super::{FIRST_PREV, hash};
use crate::disk;
use crate::words::Seq;

/// Where the chain breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// The segment's file name.
    pub segment: String,
    /// The line in it, from 1.
    pub line: usize,
    /// The event's number, as far as it can be told.
    pub seq: Seq,
    /// What is wrong.
    pub message: String,
}

/// What verifying found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Lines that follow each other from the first on.
    pub events: u64,
    /// The last good line's number.
    pub seq: Seq,
    /// Its hash: write it down elsewhere, and nobody can cut the journal unseen.
    pub head: String,
    /// The first break, if there is one.
    pub broken: Option<Break>,
}

/// Checks every line of a journal.
///
/// # Errors
/// What the operating system says.
pub fn verify(folder: &Path) -> io::Result<Verified> {
    let mut out = Verified { events: 0, seq: Seq(0), head: FIRST_PREV.to_owned(), broken: None };
    let segments = if folder.exists() { disk::list(folder, ".ndjson")? } else { Vec::new() };
    for (index, path) in segments.iter().enumerate() {
        let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        if name != format!("{:08}.ndjson", index + 1) {
            out.broken = Some(Break {
                segment: name,
                line: 1,
                seq: out.seq.next(),
                message: format!("segment {:08} is missing before it", index + 1),
            });
            return Ok(out);
        }
        let bytes = disk::read(path)?;
        for (line_index, raw) in bytes.split_inclusive(|b| *b == b'\n').enumerate() {
            if let Err(message) = check_line(raw, &mut out) {
                out.broken =
                    Some(Break { segment: name, line: line_index + 1, seq: out.seq.next(), message });
                return Ok(out);
            }
        }
    }
    Ok(out)
}

fn check_line(raw: &[u8], out: &mut Verified) -> Result<(), String> {
    let line = raw.strip_suffix(b"\n").ok_or("the last line has no end: it was torn while it was written")?;
    let text = std::str::from_utf8(line).map_err(|_| "the line is no text")?;
    let head: Head = serde_json::from_str(text).map_err(|e| format!("the line is no record: {e}"))?;
    if head.seq != out.seq.next() {
        return Err(format!("it says it is event {}, after event {}", head.seq, out.seq));
    }
    if head.prev != out.head {
        return Err(format!("its prev is not the hash of event {}: one of the two was changed", out.seq));
    }
    out.events += 1;
    out.seq = head.seq;
    out.head = hash(line);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Journal, Line};
    use super::*;

    struct Plain(u64);
    impl Line for Plain {
        fn seq(&self) -> Seq {
            Seq(self.0)
        }
        fn line(&self, prev: &str) -> Result<String, String> {
            Ok(format!("{{\"seq\":{},\"prev\":\"{prev}\",\"what\":\"x\"}}", self.0))
        }
    }

    fn folder(name: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("andon-journal-{name}-{}", std::process::id()));
        let _gone = std::fs::remove_dir_all(&folder);
        folder
    }

    fn fill(folder: &Path, count: u64) {
        let (mut journal, _) = Journal::open(folder).unwrap();
        let first = journal.seq.0 + 1;
        journal.append(&(first..first + count).map(Plain).collect::<Vec<_>>()).unwrap();
    }

    #[test]
    fn a_torn_tail_is_cut_and_said() {
        let folder = folder("torn");
        fill(&folder, 3);
        let path = folder.join("00000001.ndjson");
        let mut bytes = std::fs::read(&path).unwrap();
        let whole = bytes.len();
        bytes.extend_from_slice(b"{\"seq\":4,\"pr");
        std::fs::write(&path, &bytes).unwrap();
        let (journal, opened) = Journal::open(&folder).unwrap();
        assert_eq!(journal.seq, Seq(3));
        assert_eq!(opened.said.len(), 1, "{opened:?}");
        assert_eq!(std::fs::read(&path).unwrap().len(), whole);
        assert_eq!(std::fs::read(folder.join("00000001.torn-after-3")).unwrap(), b"{\"seq\":4,\"pr");
        drop(journal);
        fill(&folder, 1);
        assert_eq!(verify(&folder).unwrap().events, 4);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn every_flipped_byte_is_found() {
        let folder = folder("flip");
        fill(&folder, 4);
        let path = folder.join("00000001.ndjson");
        let good = std::fs::read(&path).unwrap();
        let head = verify(&folder).unwrap().head;
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x04;
            std::fs::write(&path, &bad).unwrap();
            let found = verify(&folder).unwrap();
            // A change of the last line shows in the head that was written down elsewhere.
            assert!(found.broken.is_some() || found.head != head, "byte {at}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn segments_rotate_and_chain() {
        let folder = folder("rotate");
        let (mut journal, _) = Journal::open(&folder).unwrap();
        struct Long(u64);
        impl Line for Long {
            fn seq(&self) -> Seq {
                Seq(self.0)
            }
            fn line(&self, prev: &str) -> Result<String, String> {
                Ok(format!("{{\"seq\":{},\"prev\":\"{prev}\",\"w\":\"{}\"}}", self.0, "y".repeat(200_000)))
            }
        }
        for seq in 1..=100 {
            journal.append(&[Long(seq)]).unwrap();
        }
        let found = verify(&folder).unwrap();
        assert_eq!((found.events, found.broken), (100, None));
        assert!(folder.join("00000002.ndjson").exists());
        let mut reader = super::super::JournalReader::from(&folder, Seq(95)).unwrap();
        let mut seqs = Vec::new();
        while let Some(entries) = reader.next_segment().unwrap() {
            seqs.extend(entries.iter().map(|e| e.seq.0));
        }
        assert_eq!(seqs, (95..=100).collect::<Vec<_>>());
        std::fs::remove_file(folder.join("00000001.ndjson")).unwrap();
        assert!(verify(&folder).unwrap().broken.unwrap().message.contains("is missing"));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
