//! The progress of a request, from its bytes: a small part of HTTP/1.1 (RFC 9112). It is enough to distinguish a client that
//! sends nothing from a client that waits for a response.

/// The largest number of bytes of a head that are kept.
const HEAD_KEPT: usize = 16 * 1024;

/// The progress of the present request of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Progress {
    /// No byte of the next request has arrived.
    Between {
        /// True before the first request of the connection.
        is_first: bool,
    },
    /// A part of the head has arrived.
    Head(Vec<u8>),
    /// The head has arrived, and a part of the body is missing.
    Body {
        /// The number of missing bytes; `None` for a body in chunks.
        missing: Option<usize>,
        /// The last four bytes of a body in chunks, to recognise the last chunk.
        tail: Vec<u8>,
    },
    /// The request is complete, and andon answers.
    Answering,
}

impl Default for Progress {
    fn default() -> Self {
        Progress::Between { is_first: true }
    }
}

impl Progress {
    /// Takes new bytes. Returns true if a new part of the request began: the time limit then starts again.
    pub(super) fn read(&mut self, bytes: &[u8]) -> bool {
        if bytes.is_empty() {
            return false;
        }
        match self {
            Progress::Between { is_first } => {
                let is_new = !*is_first;
                *self = Progress::Head(Vec::new());
                self.read(bytes) || is_new
            }
            Progress::Head(head) => {
                head.extend_from_slice(bytes);
                let Some(end) = find(head, b"\r\n\r\n") else {
                    // The HTTP server refuses a head of this size.
                    head.truncate(HEAD_KEPT);
                    return false;
                };
                let (head, rest) = head.split_at(end);
                let (missing, rest) = (body_of(head), rest.to_vec());
                *self = match missing {
                    Some(0) => Progress::Answering,
                    missing => Progress::Body { missing, tail: Vec::new() },
                };
                self.read(&rest);
                true
            }
            Progress::Body { missing: Some(missing), .. } => {
                *missing = missing.saturating_sub(bytes.len());
                if *missing == 0 {
                    *self = Progress::Answering;
                }
                false
            }
            Progress::Body { missing: None, tail } => {
                tail.extend_from_slice(bytes);
                if tail.ends_with(b"0\r\n\r\n") {
                    *self = Progress::Answering;
                } else {
                    let cut = tail.len().saturating_sub(4);
                    tail.drain(..cut);
                }
                false
            }
            Progress::Answering => false,
        }
    }
}

fn find(bytes: &[u8], end: &[u8]) -> Option<usize> {
    bytes.windows(end.len()).position(|w| w == end).map(|at| at + end.len())
}

/// Returns the length of the body in bytes; `None` for a body in chunks.
fn body_of(head: &[u8]) -> Option<usize> {
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let field =
        |name: &str| text.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(':').map(str::trim));
    if field("transfer-encoding").is_some() {
        return None;
    }
    Some(field("content-length").and_then(|n| n.parse().ok()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is_whole(request: &str, expected: bool) {
        // The request arrives in two pieces with every cut, then byte by byte.
        for cut in 0..=request.len() {
            let mut progress = Progress::default();
            let (one, two) = request.as_bytes().split_at(cut);
            progress.read(one);
            progress.read(two);
            assert_eq!(progress == Progress::Answering, expected, "{request:?} cut at {cut}: {progress:?}");
        }
        let mut progress = Progress::default();
        for byte in request.bytes() {
            progress.read(&[byte]);
        }
        assert_eq!(progress == Progress::Answering, expected, "{request:?}: {progress:?}");
    }

    #[test]
    fn a_request_is_whole_with_its_body() {
        is_whole("GET / HTTP/1.1\r\nhost: a\r\n\r\n", true);
        is_whole("GET / HTTP/1.1\r\nhost: a\r\n", false);
        is_whole("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", true);
        is_whole("POST / HTTP/1.1\r\ncontent-length:  3\r\n\r\n{}", false);
        is_whole("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", true);
        is_whole("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", false);
        is_whole("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n", true);
    }
}
