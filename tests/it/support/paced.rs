//! A Modbus TCP server that records the time of each request and answers after a time that the test sets. Units from 90 on
//! never answer. Every register is 0.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::pause;

#[derive(Default)]
struct Shared {
    delay_ms: AtomicU64,
    /// Extra delay of the next answer, in milliseconds.
    extra_ms: AtomicU64,
    /// Number of the next requests that get no answer.
    silent: AtomicU32,
    asked: Mutex<Vec<(u8, Instant)>>,
}

#[derive(Clone)]
pub struct Paced {
    shared: Arc<Shared>,
    pub port: u16,
}

impl Paced {
    pub fn start(delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let paced = Self { shared: shared.clone(), port };
        shared.delay_ms.store(u64::try_from(delay.as_millis()).unwrap(), Ordering::SeqCst);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = shared.clone();
                std::thread::spawn(move || converse(stream, &shared));
            }
        });
        paced
    }

    /// Delays the next answer by this time.
    pub fn delay_once(&self, by: Duration) {
        self.shared.extra_ms.store(u64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// Leaves the next `times` requests without an answer.
    pub fn be_silent(&self, times: u32) {
        self.shared.silent.store(times, Ordering::SeqCst);
    }

    /// Returns the times of the requests to a unit, in their order.
    pub fn asked(&self, unit: u8) -> Vec<Instant> {
        let asked = self.shared.asked.lock().unwrap();
        asked.iter().filter(|(u, _)| *u == unit).map(|(_, at)| *at).collect()
    }

    /// Returns the units in the order of the requests.
    pub fn order(&self) -> Vec<u8> {
        self.shared.asked.lock().unwrap().iter().map(|(unit, _)| *unit).collect()
    }

    /// Returns the longest time between two requests to a unit, from the request with the index `from`.
    pub fn longest_pause(&self, unit: u8, from: usize) -> Duration {
        let asked = self.asked(unit);
        asked[from..].windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
    }
}

#[expect(clippy::disallowed_methods, reason = "real processes have no virtual clock")]
fn converse(mut stream: TcpStream, shared: &Shared) {
    stream.set_nodelay(true).unwrap();
    let mut request = [0; 12];
    while stream.read_exact(&mut request).is_ok() {
        let (unit, function) = (request[6], request[7]);
        shared.asked.lock().unwrap().push((unit, Instant::now()));
        let counted = shared.silent.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        if unit >= 90 || counted.is_ok() {
            continue;
        }
        let extra = shared.extra_ms.swap(0, Ordering::SeqCst);
        pause(Duration::from_millis(shared.delay_ms.load(Ordering::SeqCst) + extra));
        let count = request[11];
        let mut answer = vec![request[0], request[1], 0, 0, 0, 3 + count * 2, unit, function, count * 2];
        answer.resize(9 + usize::from(count) * 2, 0);
        if stream.write_all(&answer).is_err() {
            return;
        }
    }
}
