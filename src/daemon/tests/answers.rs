//! Tests of answers: they show the durable state, whatever the store does. A damaged store is found and rebuilt.

use std::sync::Mutex as StdMutex;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::*;
use crate::api::{Served, router};
use crate::daemon::store_thread::StoreThread;
use crate::disk::fake::Trouble;
use crate::store::StoreHealth;
use crate::store::tables::MemoryTrouble;
use crate::v1::{StatusV1, TicketRowV1, TicketV1};
use crate::words::Rule;

/// Sends a request. Returns the status and the body of the answer.
async fn send(w: &World, method: &str, path: &str, body: &str) -> (u16, serde_json::Value) {
    let request = Request::builder().method(method).uri(path).header("andon-person", "eva");
    let request = request.header("content-type", "application/json").body(Body::from(body.to_owned()));
    let answer = router(Served::new(w.gateway())).oneshot(request.unwrap()).await.unwrap();
    let status = answer.status().as_u16();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap())
}

async fn get<T: serde::de::DeserializeOwned>(w: &World, path: &str) -> T {
    let (status, body) = send(w, "GET", path, "").await;
    assert_eq!(status, 200, "{body}");
    serde_json::from_value(body).unwrap()
}

const NOTE: &str = "{\"verb\":\"note\",\"text\":\"hello\"}";

#[tokio::test(start_paused = true)]
async fn what_is_done_is_answered_as_done_while_the_store_is_behind() {
    let mut w = World::new();
    let (mut worker, _feed) = w.start_without_store();
    w.reads(9).await;
    tokio::time::sleep(Duration::from_millis(10)).await;
    // The store has no event, but the ticket can be shown and changed.
    let rows: Vec<TicketRowV1> = get(&w, "/v1/tickets").await;
    assert_eq!(rows.len(), 1);
    let (status, body) = send(&w, "POST", "/v1/tickets/1", "{\"verb\":\"acknowledge\"}").await;
    assert_eq!(status, 200, "{body}");
    let ticket: TicketV1 = serde_json::from_value(body).unwrap();
    assert_eq!(ticket.row.state.word(), "acknowledged");
    assert_eq!(ticket.log.last().unwrap().text, "acknowledged");
    assert!(ticket.incomplete.unwrap().contains("behind the journal"));
    let shown: TicketV1 = get(&w, "/v1/tickets/1?log=5").await;
    assert!(shown.log.is_empty() && shown.incomplete.is_some() && shown.log_lines == 2);
    let s: StatusV1 = get(&w, "/v1/status").await;
    assert_eq!((s.store.state.as_str(), s.store.behind), ("behind", s.journal.seq.0));
    // A question that only the store can answer is refused, with the rule.
    let (status, body) = send(&w, "GET", "/v1/history", "").await;
    assert_eq!((status, body["error"]["rule"].as_str()), (503, Some(Rule::StoreBehind.code())));
    while worker.step() == Next::Again {}
    let shown: TicketV1 = get(&w, "/v1/tickets/1").await;
    assert_eq!((shown.log.len(), shown.incomplete), (2, None));
}

#[tokio::test(start_paused = true)]
async fn the_journal_never_waits_for_a_store_that_hangs() {
    let mut w = World::new();
    let (_hangs, _feed) = w.start_without_store();
    w.reads(9).await;
    tokio::time::sleep(Duration::from_millis(10)).await;
    for number in 0..1900_u64 {
        let answer = w.note(format!("note {number:06}.")).await;
        let answer = tokio::time::timeout(Duration::from_secs(1), answer).await;
        assert!(answer.unwrap().unwrap().is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn rows_that_are_damaged_while_it_runs_are_noticed_told_and_mended() {
    let mut w = World::new();
    w.start();
    w.reads(9).await;
    tokio::time::sleep(Duration::from_millis(10)).await;
    for verb in ["{\"verb\":\"start\"}", NOTE, "{\"verb\":\"cancel\",\"reason\":\"nuisance\"}"] {
        let (status, body) = send(&w, "POST", "/v1/tickets/1", verb).await;
        assert_eq!(status, 200, "{body}");
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    for key in w.tables.keys().iter().filter(|k| matches!(k.first(), Some(b'p' | b's'))) {
        w.tables.spoil(key);
        // The answer reports damage, never "no such ticket".
        let path = if key[0] == b'p' { "/v1/tickets/1" } else { "/v1/tickets?state=cancelled" };
        let (status, body) = send(&w, "GET", path, "").await;
        if key[0] == b'p' {
            assert_eq!((status, body["error"]["rule"].as_str()), (503, Some("store/behind")), "{body}");
        }
        tokio::time::sleep(Duration::from_secs(6)).await;
        let shown: TicketV1 = get(&w, "/v1/tickets/1").await;
        assert_eq!((shown.row.state.word(), shown.log.len()), ("cancelled", 5));
        let rows: Vec<TicketRowV1> = get(&w, "/v1/tickets?state=cancelled").await;
        assert_eq!(rows.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_starts_on_a_full_disk_works_from_memory_and_records_later() {
    let mut w = World::new();
    w.start();
    w.reads(9).await;
    tokio::time::sleep(Duration::from_millis(10)).await;
    let (status, _) = send(&w, "POST", "/v1/tickets/1", NOTE).await;
    assert_eq!(status, 200);
    w.power_cut(0).await;
    w.disk.trouble(Trouble::Full(0));
    *w.room.lock().unwrap() = 0;
    w.start();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let s: StatusV1 = get(&w, "/v1/status").await;
    assert!(!s.journal.writable && s.journal.message.contains("no storage space"), "{:?}", s.journal);
    assert_eq!(s.store.state, "waits-for-room");
    let shown: TicketV1 = get(&w, "/v1/tickets/1").await;
    assert_eq!(shown.log.len(), 2, "what was acknowledged is there");
    w.reads(1).await;
    w.reads(9).await;
    let (status, body) = send(&w, "POST", "/v1/tickets/1", NOTE).await;
    assert_eq!((status, body["error"]["rule"].as_str()), (503, Some("journal/not-writable")));
    w.disk.trouble(Trouble::None);
    *w.room.lock().unwrap() = u64::MAX;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let s: StatusV1 = get(&w, "/v1/status").await;
    assert!(s.journal.writable);
    assert_eq!((s.store.state.as_str(), s.store.behind), ("ready", 0));
    let shown: TicketV1 = get(&w, "/v1/tickets/1").await;
    assert_eq!((shown.row.occurrences, shown.log.len()), (2, 4), "the machine's changes are on record");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_be_written_waits_for_nothing_but_itself() {
    let mut w = World::new();
    w.start();
    w.reads(9).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    w.tables.trouble(MemoryTrouble::Broken);
    for _ in 0..50 {
        let (status, body) = send(&w, "POST", "/v1/tickets/1", NOTE).await;
        assert_eq!(status, 200, "{body}");
    }
    assert!(matches!(w.gateway().store.health(), StoreHealth::Away(_)));
    w.tables.trouble(MemoryTrouble::None);
    tokio::time::sleep(Duration::from_secs(6)).await;
    let shown: TicketV1 = get(&w, "/v1/tickets/1").await;
    assert_eq!((shown.log.len(), shown.incomplete), (51, None));
}

/// Hangs, as sled does with some files, until the test ends this.
struct Hangs(Arc<StdMutex<()>>);

impl Opener for Hangs {
    fn open(&mut self) -> Result<Store, String> {
        let _waits = self.0.lock();
        Err("it hung".to_owned())
    }

    fn set_aside(&mut self) -> Result<Option<String>, String> {
        Ok(None)
    }

    fn room(&mut self) -> u64 {
        u64::MAX
    }

    fn drop_aside(&mut self) {}
}

#[test]
fn a_thread_that_hangs_is_given_up_and_another_one_builds_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let hang = Arc::new(StdMutex::new(()));
    let hanging = hang.lock().unwrap();
    let (feed, view) = (Feed::default(), StoreView::default());
    let opener = Box::new(Hangs(hang.clone()));
    let worker = StoreWorker::new(opener, feed, view.clone(), None, "a test".to_owned());
    let thread = StoreThread::start(worker, folder.path()).unwrap();
    for _ in 0..=limits::STORE_HANG_MAX.as_secs() {
        thread.watch();
        assert_ne!(view.health(), StoreHealth::Ready);
    }
    thread.watch();
    // The next thread opens sled in this folder.
    while view.health() != StoreHealth::Ready {
        std::thread::yield_now();
    }
    assert!(view.reader().is_some() && folder.path().join("store").exists());
    drop(hanging);
}
