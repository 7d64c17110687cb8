//! Questions that cost much: one after the other, beside the links and the desk, in a queue that is bounded.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::sync::Semaphore;

use crate::journal::Verified;
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
    pub journal: Together<Result<Verified, Refusal>>,
}

impl Default for Lanes {
    fn default() -> Self {
        Self { quick: Heavy::new(limits::QUICK_AT_ONCE), long: Heavy::new(1), journal: Together::default() }
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

/// One answer for everybody who asks the same while it is made: those who wait get the answer whose making began
/// after they had asked.
#[derive(Debug, Clone)]
pub struct Together<T> {
    /// Numbers askers and beginnings in their order.
    order: Arc<AtomicU64>,
    /// The last answer, with the number of its beginning; held while one is made.
    last: Arc<tokio::sync::Mutex<Option<(u64, T)>>>,
}

impl<T> Default for Together<T> {
    fn default() -> Self {
        Self { order: Arc::default(), last: Arc::default() }
    }
}

impl<T: Clone> Together<T> {
    /// The answer of `make`, or of the one that somebody else made meanwhile.
    pub async fn ask(&self, make: impl Future<Output = T>) -> T {
        let asked = self.order.fetch_add(1, Ordering::Relaxed);
        let mut last = self.last.lock().await;
        if let Some((_, answer)) = last.as_ref().filter(|(began, _)| *began > asked) {
            return answer.clone();
        }
        let began = self.order.fetch_add(1, Ordering::Relaxed);
        let answer = make.await;
        *last = Some((began, answer.clone()));
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sixty_who_ask_at_once_share_two_answers_and_nobody_gets_an_older_one() {
        let (together, made) = (Together::default(), Arc::new(AtomicUsize::new(0)));
        let gate = Arc::new(Semaphore::new(0));
        let ask = || {
            let (together, made, gate) = (together.clone(), made.clone(), gate.clone());
            async move {
                let make = async {
                    gate.acquire().await.unwrap().forget();
                    made.fetch_add(1, Ordering::Relaxed) + 1
                };
                together.ask(make).await
            }
        };
        let mut first = tokio::task::JoinSet::new();
        first.spawn(ask());
        // Who asks and what begins are counted together.
        while together.order.load(Ordering::Relaxed) < 2 {
            tokio::task::yield_now().await;
        }
        let mut others = tokio::task::JoinSet::new();
        for _ in 0..59 {
            others.spawn(ask());
        }
        while together.order.load(Ordering::Relaxed) < 2 + 59 {
            tokio::task::yield_now().await;
        }
        gate.add_permits(3);
        assert_eq!(first.join_all().await, [1]);
        // The first answer was begun before they asked.
        assert_eq!(others.join_all().await, vec![2; 59]);
        assert_eq!(ask().await, 3);
    }

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
