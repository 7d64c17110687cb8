//! Texts that come again and again, kept once: names of equipment, faults, people, profiles.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};

use super::tables::{Changes, Rows, TableError, scan_prefix};
use crate::limits;

/// A text in a row: the number of a kept one, or itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Word {
    Kept(u32),
    Text(String),
}

const PREFIX: &[u8] = b"w";

fn key(id: u32) -> Vec<u8> {
    [PREFIX, &id.to_be_bytes()].concat()
}

/// The kept texts, for reading; clones see what is added.
#[derive(Debug, Clone, Default)]
pub(super) struct Words(Arc<RwLock<Vec<Arc<str>>>>);

impl Words {
    /// The number of a kept text; `None` for a text that no row holds by number.
    pub(super) fn find(&self, text: &str) -> Option<u32> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        kept.iter().position(|t| &**t == text).and_then(|at| u32::try_from(at).ok())
    }

    /// The text of a word.
    pub(super) fn text(&self, word: &Word) -> Result<String, TableError> {
        match word {
            Word::Text(text) => Ok(text.clone()),
            Word::Kept(id) => self.kept(*id),
        }
    }

    /// The kept text of this number.
    pub(super) fn kept(&self, id: u32) -> Result<String, TableError> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let text = usize::try_from(id).ok().and_then(|at| kept.get(at));
        text.map(|t| t.to_string())
            .ok_or_else(|| TableError::Damaged(format!("the text of number {id} is missing")))
    }

    /// The numbers of those of these texts that are kept.
    pub(super) fn ids<'a>(&self, texts: &BTreeSet<&'a str>) -> BTreeMap<&'a str, u32> {
        if texts.is_empty() {
            return BTreeMap::new();
        }
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let found = (0..).zip(kept.iter()).filter_map(|(id, text)| Some((*texts.get(&**text)?, id)));
        found.collect()
    }
}

/// The kept texts, for writing.
#[derive(Debug, Default)]
pub(super) struct WordBook {
    words: Words,
    ids: BTreeMap<Arc<str>, u32>,
    /// Numbers from this one on are not in the tables yet.
    written: u32,
}

impl WordBook {
    /// Reads every kept text.
    pub(super) fn load(rows: &dyn Rows) -> Result<Self, TableError> {
        let mut book = Self::default();
        scan_prefix(rows, PREFIX, false, &mut |found, value| {
            let text = std::str::from_utf8(value)
                .map_err(|_| TableError::Damaged("a kept text does not read".to_owned()))?;
            let id = book.keep(text);
            if found != key(id) {
                return Err(TableError::Damaged(format!("the kept text of number {id} is missing")));
            }
            Ok(ControlFlow::Continue(()))
        })?;
        book.written = book.count();
        Ok(book)
    }

    /// For reading.
    pub(super) fn words(&self) -> Words {
        self.words.clone()
    }

    fn count(&self) -> u32 {
        u32::try_from(self.ids.len()).unwrap_or(u32::MAX)
    }

    /// The number of a text, which is kept in any case.
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

    /// The word for a text that is likely to come again.
    pub(super) fn word(&mut self, text: &str) -> Word {
        let is_known = self.ids.contains_key(text);
        if is_known || (text.len() <= limits::WORD_BYTES_MAX && self.ids.len() < limits::WORDS_KEPT) {
            Word::Kept(self.keep(text))
        } else {
            Word::Text(text.to_owned())
        }
    }

    /// The word for a name that an index goes by: it is kept in any case.
    pub(super) fn name(&mut self, text: &str) -> Word {
        Word::Kept(self.keep(text))
    }

    /// Adds the rows of texts that are kept since this was called last.
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
