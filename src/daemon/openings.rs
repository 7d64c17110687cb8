//! Tickets as they are opened, from the feed: only what is on record gets its frames and readings kept.

use super::captures::Openings;
use crate::ambient::Clock;
use crate::desk::Event;
use crate::feed::{Feed, FeedItem};
use crate::limits;
use crate::ticket::TicketEvent;

/// Tells the worker of every ticket that is opened from here on. Never ends.
pub(super) async fn follow(feed: Feed, openings: Openings, clock: Clock) {
    let mut end = feed.end();
    let mut cursor = end.borrow_and_update().clone();
    while end.changed().await.is_ok() {
        loop {
            let (source, from) = (feed.clone(), cursor.clone());
            let read = tokio::task::spawn_blocking(move || source.after(&from, limits::FEED_TURN)).await;
            let Ok(Ok(followed)) = read else { break };
            if followed.items.is_empty() {
                break;
            }
            cursor = followed.cursor;
            for item in &followed.items {
                let FeedItem::Record(committed) = item else { continue };
                if let Event::Ticket(TicketEvent::Opened(opening)) = &committed.record.event {
                    openings.note(opening, clock.now());
                }
            }
        }
    }
}
