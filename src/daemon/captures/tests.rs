//! Tests of a flood of tickets: the written files, and the number of threads.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use super::*;
use crate::ambient::Clock;
use crate::api::QueryQueues;
use crate::daemon::link_supervisor::boards;
use crate::feed::Feed;
use crate::recorder::Recorder;
use crate::site::testing::site;
use crate::store::StoreView;
use crate::v1::TraceV1;
use crate::words::{FaultName, PointIndex, Reading, Value};

struct Folder(PathBuf);

impl Folder {
    /// Uses a folder in memory if the system has one, because these tests write ten thousand files.
    fn new(name: &str) -> Self {
        let memory = PathBuf::from("/dev/shm");
        let place = if memory.is_dir() { memory } else { std::env::temp_dir() };
        Self(place.join(format!("andon-captures-{name}-{}", std::process::id())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// Returns the number of different files (without hard links), and their bytes.
fn distinct(folder: &Path) -> (usize, u64) {
    let files = std::fs::read_dir(folder).unwrap().flatten().map(|e| e.metadata().unwrap());
    let files: BTreeMap<u64, u64> = files.map(|m| (m.ino(), m.len())).collect();
    (files.len(), files.values().sum())
}

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

#[tokio::test]
async fn a_flood_shares_its_frames_and_readings() {
    const TICKETS: u64 = 5000;
    let folder = Folder::new("flood");
    let clock = Clock::start();
    let fault = "[faults.high]\nseverity='major'\nwhen='x > 5'\nmeans='m'";
    let s = site("x = { register = 'holding:0', type = 'u16' }", fault);
    let (desk, _asked) = tokio::sync::mpsc::channel(1);
    let gateway = Gateway {
        boards: boards(&s, clock),
        site: s.clone(),
        daemon: true,
        clock,
        captures: folder.0.join("wire"),
        recorder: Recorder::reading(folder.0.join("recorder")),
        traces: folder.0.join("traces"),
        desk,
        feed: Feed::default(),
        store: StoreView::default(),
        queues: QueryQueues::default(),
        report: Arc::default(),
        found: Arc::default(),
        links: Arc::default(),
        reload: None,
    };
    let now = clock.now();
    // The ring buffer is full, as on a busy link, and a reading is recorded.
    for i in 0..1000 {
        gateway.boards[0].record().note(clock.now(), i % 2 == 0, &[7; 256]);
    }
    let reading = Reading { value: Ok(Value::Integer(6)), at: now };
    gateway.recorder.note(&s.equipment[0], &[(PointIndex(0), reading)]);
    let (openings, mut heard) = new_tickets();
    let mut work = Work::new(&gateway, heard.passed_over.clone());
    for number in 1..=TICKETS {
        let of = TraceOf {
            number: TicketNumber(number),
            equipment: s.equipment[0].id.clone(),
            fault: FaultName::parse("high").unwrap(),
            onset: now.wall,
        };
        // `new_tickets.rs` does the same: sending never waits.
        openings.queue.try_send(NewTicket { of, at: now }).unwrap();
    }
    let before = threads();
    let mut most = before;
    let mut tickets = Vec::new();
    while !heard.queue.is_empty() {
        heard.queue.recv_many(&mut tickets, 512).await;
        work.take(&gateway, tickets.drain(..));
    }
    let mut then = now;
    then.mono = then.mono + Duration::from_secs(600);
    then.wall = then.wall.after(Duration::from_secs(600));
    while work.due().is_some() {
        work.carry_out(&gateway, then).await;
        most = most.max(threads());
    }
    assert!(most < 40, "{most} threads, {before} before");
    let (files, bytes) = distinct(&gateway.captures);
    assert_eq!(files, 1, "one cut for all");
    assert!(bytes < 2 * limits::WIRE_RECORD_BYTES as u64, "{bytes} bytes");
    for number in 1..=TICKETS {
        assert!(gateway.captures.join(format!("ticket-{number}.pcap")).exists(), "{number}");
        assert!(gateway.trace_path(TicketNumber(number)).exists(), "{number}");
    }
    let last = std::fs::read(gateway.trace_path(TicketNumber(TICKETS))).unwrap();
    let last: TraceV1 = serde_json::from_slice(&last).unwrap();
    assert_eq!((last.ticket, last.series[0].samples[0].1), (TICKETS, Some(6.0)));
    assert_eq!(work.passed_over.load(Ordering::Relaxed), 0);
}

#[test]
fn the_oldest_captures_go_beyond_their_number_and_their_bytes() {
    let folder = Folder::new("kept");
    let over = AtomicBool::new(false);
    let mut captures = Captures::new(folder.0.clone());
    let all: Vec<TicketNumber> = (1..=limits::CAPTURES_KEPT as u64 + 3).map(TicketNumber).collect();
    captures.write(&all, b"x", &over).unwrap();
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), limits::CAPTURES_KEPT);
    assert!(!captures.path(3).exists());
    assert!(captures.path(4).exists());
    // After a restart the files are known. A large file replaces a small file and its hard links.
    let mut captures = Captures::new(folder.0.clone());
    captures.look().unwrap();
    assert_eq!((captures.bytes, captures.shared.len()), (1, 1));
    let large = vec![0; 200 * 1024 * 1024];
    let last = TicketNumber(limits::CAPTURES_KEPT as u64 + 4);
    captures.write(&[last], &large, &over).unwrap();
    assert_eq!((captures.bytes, captures.shared.len()), (1 + large.len() as u64, 2));
    captures.write(&[TicketNumber(last.0 + 1)], &large, &over).unwrap();
    assert_eq!((captures.bytes, captures.shared.len()), (large.len() as u64, 1));
    assert_eq!(distinct(&folder.0), (1, large.len() as u64));
}
