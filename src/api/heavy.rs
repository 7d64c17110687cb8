//! Questions that cost much: one after the other, beside the links and the desk, in a queue that is bounded.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;

use crate::limits;
use crate::words::{Refusal, Rule};

/// The queue; clones are the same one.
#[derive(Debug, Clone)]
pub struct Heavy {
    places: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
}

/// Three queues, so that a look at one ticket does not wait for a check of the whole journal.
#[derive(Debug, Clone)]
pub struct Lanes {
    /// Single tickets.
    pub quick: Heavy,
    /// Lists, searches and reports.
    pub long: Heavy,
    /// The whole journal.
    pub journal: Heavy,
}

impl Default for Lanes {
    fn default() -> Self {
        Self { quick: Heavy::new(limits::QUICK_AT_ONCE), long: Heavy::new(1), journal: Heavy::new(1) }
    }
}

/// Counts one who waits for as long as it lives.
struct Waiting(Arc<AtomicUsize>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Heavy {
    /// A queue of which so many are answered at once.
    #[must_use]
    pub fn new(at_once: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(at_once)), waiting: Arc::default() }
    }

    /// Runs a question in a thread of its own once it is its turn. An asker that goes away while it waits is forgotten.
    ///
    /// # Errors
    /// When too many wait, or the question panics.
    pub async fn run<T: Send + 'static>(&self, f: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
        let busy = || {
            Refusal::new(Rule::TooBusy, "too many long questions wait for an answer")
                .remedy("ask again in a moment")
        };
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let waiting = Waiting(self.waiting.clone());
        if before >= limits::HEAVY_WAITING_MAX {
            return Err(busy());
        }
        let place = self.places.clone().acquire_owned().await.map_err(|_| busy())?;
        drop(waiting);
        let done = tokio::task::spawn_blocking(move || {
            let answer = f();
            drop(place);
            answer
        });
        done.await.map_err(|e| Refusal::new(Rule::TooBusy, format!("the question failed: {e}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn as_many_as_fit_wait_and_the_next_one_is_refused() {
        let heavy = Heavy::new(2);
        let (hold, held) = std::sync::mpsc::channel::<()>();
        let held = Arc::new(std::sync::Mutex::new(held));
        let mut asked = tokio::task::JoinSet::new();
        for _ in 0..2 + limits::HEAVY_WAITING_MAX {
            let (heavy, held) = (heavy.clone(), held.clone());
            asked.spawn(async move {
                let wait = move || held.lock().map(|h| h.recv().is_ok()).unwrap_or_default();
                heavy.run(wait).await.is_ok()
            });
            tokio::task::yield_now().await;
        }
        while heavy.places.available_permits() > 0
            || heavy.waiting.load(Ordering::Relaxed) < limits::HEAVY_WAITING_MAX
        {
            tokio::task::yield_now().await;
        }
        assert_eq!(heavy.run(|| ()).await.unwrap_err().rule, Rule::TooBusy);
        for _ in 0..2 + limits::HEAVY_WAITING_MAX {
            hold.send(()).unwrap();
        }
        while let Some(done) = asked.join_next().await {
            assert!(done.unwrap());
        }
        assert!(heavy.run(|| ()).await.is_ok());
        assert_eq!(heavy.waiting.load(Ordering::Relaxed), 0);
    }
}
