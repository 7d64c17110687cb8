//! Tables in memory, for a data directory that cannot be written and for tests. A test can make the tables fail.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError, RwLock};

use super::{Changes, EachRow, Rows, TableError, Tables, sealed, unsealed};

/// The fault that a test sets on the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MemoryTrouble {
    /// The tables have no fault.
    #[default]
    None,
    /// Commits fail.
    NoCommit,
    /// Every operation fails.
    Broken,
}

#[derive(Debug, Default)]
struct State {
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    trouble: MemoryTrouble,
}

/// Tables in memory. All clones share the same rows.
#[derive(Debug, Clone, Default)]
pub struct Memory(Arc<RwLock<State>>);

impl Memory {
    /// Sets the fault of the tables.
    pub fn trouble(&self, trouble: MemoryTrouble) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).trouble = trouble;
    }

    /// Changes the first stored byte of a row, so that the row is damaged.
    pub fn spoil(&self, key: &[u8]) {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(first) = state.rows.get_mut(key).and_then(|v| v.first_mut()) {
            *first ^= 1;
        }
    }

    /// Removes every row.
    pub fn clear(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).rows.clear();
    }

    /// Returns all keys, sorted.
    #[must_use]
    pub fn keys(&self) -> Vec<Vec<u8>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).rows.keys().cloned().collect()
    }

    /// Returns the size of all keys and values in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .rows
            .iter()
            .map(|(k, v)| k.len() + v.len())
            .sum()
    }
}

fn broken() -> TableError {
    TableError::Failed("the rows cannot be accessed".to_owned())
}

impl Rows for Memory {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TableError> {
        let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if state.trouble == MemoryTrouble::Broken {
            return Err(broken());
        }
        state.rows.get(key).map(|stored| unsealed(key, stored).map(<[u8]>::to_vec)).transpose()
    }

    fn scan(&self, from: &[u8], to: &[u8], backwards: bool, each: EachRow<'_>) -> Result<(), TableError> {
        let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if state.trouble == MemoryTrouble::Broken {
            return Err(broken());
        }
        if from >= to {
            return Ok(());
        }
        let mut rows = state.rows.range(from.to_vec()..to.to_vec());
        while let Some((key, stored)) = if backwards { rows.next_back() } else { rows.next() } {
            if each(key, unsealed(key, stored)?)? == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(())
    }
}

impl Tables for Memory {
    fn rows(&self) -> Arc<dyn Rows> {
        Arc::new(self.clone())
    }

    fn commit(&mut self, changes: Changes) -> Result<(), TableError> {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if state.trouble != MemoryTrouble::None {
            return Err(broken());
        }
        for (key, value) in changes {
            match value {
                Some(value) => {
                    let stored = sealed(&key, &value);
                    state.rows.insert(key, stored);
                }
                None => {
                    state.rows.remove(&key);
                }
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), TableError> {
        Ok(())
    }
}
