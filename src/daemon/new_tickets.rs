//! Follows the feed for new tickets. Frames and readings are kept only for a ticket that is durable.

use super::captures::NewTicketSender;
use crate::ambient::Clock;
use crate::desk::Event;
use crate::feed::{Feed, FeedItem};
use crate::limits;
use crate::ticket::TicketEvent;

/// Sends each ticket that is opened from now on to the worker of `captures.rs`. Ends only when the gateway stops.
pub(super) async fn follow(feed: Feed, sender: NewTicketSender, clock: Clock) {
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
                    sender.note(opening, clock.now());
                }
            }
        }
    }
}
