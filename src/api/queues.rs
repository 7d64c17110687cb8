//! Bounded queues for questions that take long. The questions run in their own threads, so links and desk do not wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::sync::Semaphore;

use crate::journal::Verified;
use crate::limits;
use crate::words::{Refusal, Rule};

/// A bounded queue of questions. All clones are the same queue.
#[derive(Debug, Clone)]
pub struct QueryQueue {
    places: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
}

/// Three queues, so that a question about one ticket does not wait for a check of the whole journal.
#[derive(Debug, Clone)]
pub struct QueryQueues {
    /// Questions about single tickets.
    pub quick: QueryQueue,
    /// Lists, searches and reports.
    pub long: QueryQueue,
    /// Checks of the whole journal.
    pub journal: SharedAnswer<Result<Verified, Refusal>>,
}

impl Default for QueryQueues {
    fn default() -> Self {
        Self {
            quick: QueryQueue::new(limits::QUICK_AT_ONCE),
            long: QueryQueue::new(1),
            journal: SharedAnswer::default(),
        }
    }
}

/// Counts as one waiting question until it is dropped.
struct Waiting(Arc<AtomicUsize>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl QueryQueue {
    /// Creates a queue that runs at most `at_once` questions at the same time.
    #[must_use]
    pub fn new(at_once: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(at_once)), waiting: Arc::default() }
    }

    /// Waits for its turn, then runs a question in its own thread. If the caller is cancelled while it waits, the question
    /// does not run.
    ///
    /// # Errors
    /// If too many questions wait, or the question panics.
    pub async fn run<T: Send + 'static>(&self, f: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
        let busy = || {
            Refusal::new(Rule::TooBusy, "too many requests wait for the ticket database")
                .remedy("try again in a few seconds")
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

/// One answer for all callers that ask the same question at the same time. A caller gets only an answer whose computation
/// began after the caller asked.
#[derive(Debug, Clone)]
pub struct SharedAnswer<T> {
    /// The counter that numbers callers and computations in their order.
    order: Arc<AtomicU64>,
    /// The last answer with the number of its computation. Locked during a computation.
    last: Arc<tokio::sync::Mutex<Option<(u64, T)>>>,
}

impl<T> Default for SharedAnswer<T> {
    fn default() -> Self {
        Self { order: Arc::default(), last: Arc::default() }
    }
}

impl<T: Clone> SharedAnswer<T> {
    /// Returns the answer of `make`, or the answer of another caller that began after this call.
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
        let (shared, made) = (SharedAnswer::default(), Arc::new(AtomicUsize::new(0)));
        let gate = Arc::new(Semaphore::new(0));
        let ask = || {
            let (shared, made, gate) = (shared.clone(), made.clone(), gate.clone());
            async move {
                let make = async {
                    gate.acquire().await.unwrap().forget();
                    made.fetch_add(1, Ordering::Relaxed) + 1
                };
                shared.ask(make).await
            }
        };
        let mut first = tokio::task::JoinSet::new();
        first.spawn(ask());
        // One counter numbers callers and computations.
        while shared.order.load(Ordering::Relaxed) < 2 {
            tokio::task::yield_now().await;
        }
        let mut others = tokio::task::JoinSet::new();
        for _ in 0..59 {
            others.spawn(ask());
        }
        while shared.order.load(Ordering::Relaxed) < 2 + 59 {
            tokio::task::yield_now().await;
        }
        gate.add_permits(3);
        assert_eq!(first.join_all().await, [1]);
        // The first computation began before the others asked.
        assert_eq!(others.join_all().await, vec![2; 59]);
        assert_eq!(ask().await, 3);
    }

    #[tokio::test]
    async fn as_many_as_fit_wait_and_the_next_one_is_refused() {
        let queue = QueryQueue::new(2);
        let (hold, held) = std::sync::mpsc::channel::<()>();
        let held = Arc::new(std::sync::Mutex::new(held));
        let mut asked = tokio::task::JoinSet::new();
        for _ in 0..2 + limits::HEAVY_WAITING_MAX {
            let (queue, held) = (queue.clone(), held.clone());
            asked.spawn(async move {
                let wait = move || held.lock().map(|h| h.recv().is_ok()).unwrap_or_default();
                queue.run(wait).await.is_ok()
            });
            tokio::task::yield_now().await;
        }
        while queue.places.available_permits() > 0
            || queue.waiting.load(Ordering::Relaxed) < limits::HEAVY_WAITING_MAX
        {
            tokio::task::yield_now().await;
        }
        assert_eq!(queue.run(|| ()).await.unwrap_err().rule, Rule::TooBusy);
        for _ in 0..2 + limits::HEAVY_WAITING_MAX {
            hold.send(()).unwrap();
        }
        while let Some(done) = asked.join_next().await {
            assert!(done.unwrap());
        }
        assert!(queue.run(|| ()).await.is_ok());
        assert_eq!(queue.waiting.load(Ordering::Relaxed), 0);
    }
}
