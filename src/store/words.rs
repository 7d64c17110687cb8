//! Texts that occur in many rows are stored once and get a number: names of equipment, faults, people and profiles.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};

use super::tables::{Changes, Rows, TableError, scan_prefix};
use crate::limits;

/// A text in a row: the number of a stored text, or the text itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Word {
    Kept(u32),
    Text(String),
}

const PREFIX: &[u8] = b"w";

fn key(id: u32) -> Vec<u8> {
    [PREFIX, &id.to_be_bytes()].concat()
}

/// The stored texts, for reading. All clones see new texts.
#[derive(Debug, Clone, Default)]
pub(super) struct Words(Arc<RwLock<Vec<Arc<str>>>>);

impl Words {
    /// Returns the number of a text; `None` if the text is not stored.
    pub(super) fn find(&self, text: &str) -> Option<u32> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        kept.iter().position(|t| &**t == text).and_then(|at| u32::try_from(at).ok())
    }

    /// Returns the text of a word.
    pub(super) fn text(&self, word: &Word) -> Result<String, TableError> {
        match word {
            Word::Text(text) => Ok(text.clone()),
            Word::Kept(id) => self.kept(*id),
        }
    }

    /// Returns the stored text with this number.
    pub(super) fn kept(&self, id: u32) -> Result<String, TableError> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let text = usize::try_from(id).ok().and_then(|at| kept.get(at));
        text.map(|t| t.to_string()).ok_or_else(|| TableError::Damaged(format!("stored text {id} is missing")))
    }

    /// Returns the number of each text that is stored; texts that are not stored are left out.
    pub(super) fn ids<'a>(&self, texts: &BTreeSet<&'a str>) -> BTreeMap<&'a str, u32> {
        if texts.is_empty() {
            return BTreeMap::new();
        }
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let found = (0..).zip(kept.iter()).filter_map(|(id, text)| Some((*texts.get(&**text)?, id)));
        found.collect()
    }
}

/// The stored texts, for writing.
#[derive(Debug, Default)]
pub(super) struct WordBook {
    words: Words,
    ids: BTreeMap<Arc<str>, u32>,
    /// Texts with this number or a higher number are not in the tables yet.
    written: u32,
}

impl WordBook {
    /// Reads all stored texts.
    pub(super) fn load(rows: &dyn Rows) -> Result<Self, TableError> {
        let mut book = Self::default();
        scan_prefix(rows, PREFIX, false, &mut |found, value| {
            let text = std::str::from_utf8(value)
                .map_err(|_| TableError::Damaged("a stored text cannot be read".to_owned()))?;
            let id = book.keep(text);
            if found != key(id) {
                return Err(TableError::Damaged(format!("stored text {id} is missing")));
            }
            Ok(ControlFlow::Continue(()))
        })?;
        book.written = book.count();
        Ok(book)
    }

    /// Returns the stored texts for reading.
    pub(super) fn words(&self) -> Words {
        self.words.clone()
    }

    fn count(&self) -> u32 {
        u32::try_from(self.ids.len()).unwrap_or(u32::MAX)
    }

    /// Returns the number of a text. Stores the text if it is new.
    pub(super) fn keep(&mut self, text: &str) -> u32 {
        if let Some(id) = self.ids.get(text) {
            return *id;
        }
        let id = self.count();
        let text: Arc<str> = text.into();
        self.ids.insert(text.clone(), id);
        self.words.0.write().unwrap_or_else(PoisonError::into_inner).push(text);
        id
    }

    /// Returns the word for a text that probably occurs again. Stores the text, unless it is long or too many are stored.
    pub(super) fn word(&mut self, text: &str) -> Word {
        let is_known = self.ids.contains_key(text);
        if is_known || (text.len() <= limits::WORD_BYTES_MAX && self.ids.len() < limits::WORDS_KEPT) {
            Word::Kept(self.keep(text))
        } else {
            Word::Text(text.to_owned())
        }
    }

    /// Returns the word for a name that is used in an index. Such a name is always stored.
    pub(super) fn name(&mut self, text: &str) -> Word {
        Word::Kept(self.keep(text))
    }

    /// Adds the rows of all texts that are new since the last call.
    pub(super) fn write(&mut self, changes: &mut Changes) {
        let kept = self.words.0.read().unwrap_or_else(PoisonError::into_inner);
        for id in self.written..self.count() {
            let text = usize::try_from(id).ok().and_then(|at| kept.get(at));
            if let Some(text) = text {
                changes.insert(key(id), Some(text.as_bytes().to_vec()));
            }
        }
        drop(kept);
        self.written = self.count();
    }
}
