//! Values that a detector shares with its clones, so that a snapshot of it costs a handful of handles.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A value behind a handle. A clone is another handle; a change copies the value first if another handle is still kept.
#[derive(Debug)]
pub(super) struct Shared<T>(Arc<T>);

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Default> Default for Shared<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

/// A list of shared values: a change of one value copies that value at most, and the list of handles.
#[derive(Debug, Clone)]
pub(super) struct SharedList<T>(Shared<Vec<Shared<T>>>);

impl<T> Default for SharedList<T> {
    fn default() -> Self {
        Self(Shared::default())
    }
}

impl<T: Clone> SharedList<T> {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn push(&mut self, value: T) {
        self.0.push(Shared(Arc::new(value)));
    }

    pub fn get(&self, at: usize) -> Option<&T> {
        self.0.get(at).map(Deref::deref)
    }

    pub fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        self.0.get_mut(at).map(DerefMut::deref_mut)
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(Deref::deref)
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut().map(DerefMut::deref_mut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_while_a_snapshot_is_kept_is_copied() {
        let mut list = SharedList::default();
        for n in 0..3 {
            list.push(vec![n]);
        }
        let places = |list: &SharedList<Vec<u8>>| list.iter().map(|v| v.as_ptr()).collect::<Vec<_>>();
        let before = places(&list);
        list.get_mut(0).unwrap()[0] = 7;
        assert_eq!(places(&list), before, "nobody else keeps it");
        let snapshot = list.clone();
        list.get_mut(1).unwrap()[0] = 8;
        assert_eq!(snapshot.iter().flatten().copied().collect::<Vec<_>>(), [7, 1, 2]);
        assert_eq!(list.iter().flatten().copied().collect::<Vec<_>>(), [7, 8, 2]);
        let after = places(&list);
        assert_eq!((after[0], after[2]), (before[0], before[2]));
        assert_ne!(after[1], before[1]);
    }
}
