//! The daemon's side of the socket: a bounded number of connections, so that file descriptors remain for ports, files and
//! the journal. A client that sends nothing cannot keep its connection.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::unix::SocketAddr;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::request::Progress;
use crate::limits;

/// A listener with a bounded number of connections. Further connections wait in the system's queue.
pub struct BoundedListener {
    listener: UnixListener,
    room: Arc<Semaphore>,
    /// True while all places are taken. Idle connections then end sooner.
    crowded: Arc<AtomicBool>,
}

impl BoundedListener {
    /// Creates a listener with at most `connections` connections at the same time.
    #[must_use]
    pub fn new(listener: UnixListener, connections: usize) -> Self {
        Self { listener, room: Arc::new(Semaphore::new(connections)), crowded: Arc::default() }
    }
}

impl Listener for BoundedListener {
    type Io = Connection<UnixStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            self.crowded.store(self.room.available_permits() == 0, Ordering::Relaxed);
            let Ok(place) = self.room.clone().acquire_owned().await else {
                // The semaphore is never closed.
                std::future::pending().await
            };
            self.crowded.store(false, Ordering::Relaxed);
            match self.listener.accept().await {
                Ok((stream, address)) => {
                    return (Connection::new(stream, self.crowded.clone(), Some(place)), address);
                }
                // No descriptor is free, or the client has closed the connection: try the next one.
                Err(_) => tokio::time::sleep(limits::ACCEPT_AGAIN_AFTER).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// A connection with time limits. It ends if a request is not complete in time, if there is no request for a long time, or
/// if the client does not read the response.
pub struct Connection<S> {
    stream: S,
    request: Progress,
    tick: Interval,
    /// Ticks since the last byte was written, or since the present request began.
    reading_for: u32,
    writing_for: u32,
    crowded: Arc<AtomicBool>,
    _place: Option<OwnedSemaphorePermit>,
}

impl<S> Connection<S> {
    fn new(stream: S, crowded: Arc<AtomicBool>, place: Option<OwnedSemaphorePermit>) -> Self {
        let mut tick = interval(limits::CONNECTION_LOOK_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tick.reset();
        let request = Progress::default();
        Self { stream, request, tick, reading_for: 0, writing_for: 0, crowded, _place: place }
    }

    /// Returns the number of ticks that the client has for the present part of a request; `None` while andon answers.
    fn patience(&self) -> Option<u32> {
        let looks = |time: std::time::Duration| {
            u32::try_from(time.as_millis() / limits::CONNECTION_LOOK_EVERY.as_millis()).unwrap_or(u32::MAX)
        };
        match self.request {
            Progress::Answering => None,
            Progress::Between { .. } if self.crowded.load(Ordering::Relaxed) => {
                Some(looks(limits::CONNECTION_IDLE_CROWDED))
            }
            Progress::Between { is_first: false } => Some(looks(limits::CONNECTION_IDLE_MAX)),
            Progress::Between { is_first: true } | Progress::Head(_) | Progress::Body { .. } => {
                Some(looks(limits::REQUEST_MAX))
            }
        }
    }
}

impl Connection<UnixStream> {
    /// Returns the user id of the account at the other end; `None` if the system does not give it.
    pub(super) fn peer_uid(&self) -> Option<u32> {
        self.stream.peer_cred().ok().map(|credentials| credentials.uid())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        match Pin::new(&mut this.stream).poll_read(cx, buf) {
            Poll::Ready(done) => {
                let bytes = buf.filled().get(before..).unwrap_or_default();
                if this.request.read(bytes) {
                    this.reading_for = 0;
                }
                Poll::Ready(done)
            }
            Poll::Pending => loop {
                ready!(this.tick.poll_tick(cx));
                this.reading_for = this.reading_for.saturating_add(1);
                if this.patience().is_some_and(|looks| this.reading_for >= looks) {
                    // Zero bytes mean that the other side closed the connection.
                    return Poll::Ready(Ok(()));
                }
            },
        }
    }
}

impl<S: AsyncWrite + Unpin> Connection<S> {
    fn written(&mut self, cx: &mut Context<'_>, done: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(done) = done {
            self.writing_for = 0;
            self.reading_for = 0;
            self.request = Progress::Between { is_first: false };
            return Poll::Ready(done);
        }
        loop {
            ready!(self.tick.poll_tick(cx));
            self.writing_for = self.writing_for.saturating_add(1);
            let most = limits::CONNECTION_IDLE_MAX.as_millis() / limits::CONNECTION_LOOK_EVERY.as_millis();
            if u128::from(self.writing_for) >= most {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let done = Pin::new(&mut this.stream).poll_write(cx, buf);
        this.written(cx, done)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let done = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        this.written(cx, done)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::Instant;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: andon\r\n\r\n";

    /// Returns how long a connection stays open that sends these bytes and then nothing; `None` if it does not end in the test.
    async fn stays_for(sent: &[u8], is_answered: bool, is_crowded: bool) -> Option<Duration> {
        let (mut ours, theirs) = duplex(4096);
        let crowded = Arc::new(AtomicBool::new(is_crowded));
        let mut connection = Connection::new(theirs, crowded, None);
        ours.write_all(sent).await.unwrap();
        let begin = Instant::now();
        let mut seen = vec![0; sent.len()];
        connection.read_exact(&mut seen).await.unwrap();
        if is_answered {
            connection.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        }
        let end = tokio::time::timeout(Duration::from_secs(3600), connection.read(&mut [0; 16])).await;
        end.ok().map(|read| {
            assert_eq!(read.unwrap_or(1), 0);
            Instant::now() - begin
        })
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_asks_nothing_ends() {
        assert_eq!(stays_for(b"", false, false).await, Some(limits::REQUEST_MAX));
        assert_eq!(stays_for(b"GET /v1/sta", false, false).await, Some(limits::REQUEST_MAX));
        let no_body = b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n{}";
        assert_eq!(stays_for(no_body, false, false).await, Some(limits::REQUEST_MAX));
        assert_eq!(stays_for(REQUEST, true, false).await, Some(limits::CONNECTION_IDLE_MAX));
        assert_eq!(stays_for(b"", false, true).await, Some(limits::CONNECTION_IDLE_CROWDED));
        assert_eq!(stays_for(REQUEST, true, true).await, Some(limits::CONNECTION_IDLE_CROWDED));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_for_an_answer_is_not_sent_away() {
        assert_eq!(stays_for(REQUEST, false, false).await, None);
        assert_eq!(stays_for(REQUEST, false, true).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn dripping_bytes_do_not_keep_a_connection() {
        let (mut ours, theirs) = duplex(4096);
        let mut connection = Connection::new(theirs, Arc::default(), None);
        let begin = Instant::now();
        let drip = tokio::spawn(async move {
            while ours.write_all(b"G").await.is_ok() {
                tokio::time::sleep(Duration::from_secs(3)).await;
            }
        });
        let mut seen = [0; 16];
        while connection.read(&mut seen).await.is_ok_and(|n| n > 0) {}
        assert!(Instant::now() - begin <= limits::REQUEST_MAX * 2);
        drop(connection);
        drip.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_nobody_reads_ends_the_connection() {
        let (_ours, theirs) = duplex(16);
        let mut connection = Connection::new(theirs, Arc::default(), None);
        let end = connection.write_all(&[0; 64]).await;
        assert_eq!(end.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
