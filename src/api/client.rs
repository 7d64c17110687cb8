//! The client: the same requests over the socket or in the process.

use std::path::Path;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tower::ServiceExt;

use super::v1::{ErrorBody, ErrorV1};
use crate::limits;

/// Where requests go.
pub enum Client {
    /// To a daemon.
    Socket(hyper::client::conn::http1::SendRequest<Body>),
    /// To the same routes in this process.
    InProcess(Router),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens there.
    #[error("{0}")]
    Unreachable(String),
    /// The gateway refuses or fails.
    #[error("{}", .0.message)]
    Refused(ErrorV1),
}

impl Client {
    /// Connects to a daemon's socket.
    ///
    /// # Errors
    /// When nobody listens there.
    pub async fn connect(socket: &Path) -> Result<Self, ClientError> {
        let unreachable = |e: String| ClientError::Unreachable(format!("{}: {e}", socket.display()));
        let stream =
            tokio::time::timeout(limits::CLIENT_CONNECT_MAX, tokio::net::UnixStream::connect(socket))
                .await
                .map_err(|_| unreachable("no answer".to_owned()))?
                .map_err(|e| unreachable(e.to_string()))?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|e| unreachable(e.to_string()))?;
        tokio::spawn(connection);
        Ok(Client::Socket(sender))
    }

    /// Sends a request; `by` is who acts.
    ///
    /// # Errors
    /// What the gateway says, or that it went away.
    pub async fn send<T: DeserializeOwned>(
        &mut self,
        method: Method,
        path: &str,
        by: Option<&str>,
        body: Option<&serde_json::Value>,
    ) -> Result<T, ClientError> {
        let lost = |e: String| ClientError::Unreachable(e);
        let mut request = Request::builder().method(method).uri(path).header("host", "andon");
        if let Some(by) = by {
            request = request.header("andon-person", encode(by));
        }
        let body = match body {
            Some(json) => {
                request = request.header("content-type", "application/json");
                Body::from(json.to_string())
            }
            None => Body::empty(),
        };
        let request = request.body(body).map_err(|e| lost(e.to_string()))?;
        let (status, bytes) = match self {
            Client::Socket(sender) => {
                let answer = sender.send_request(request).await.map_err(|e| lost(e.to_string()))?;
                let status = answer.status().as_u16();
                (status, answer.into_body().collect().await.map_err(|e| lost(e.to_string()))?.to_bytes())
            }
            Client::InProcess(router) => {
                let answer = router.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
                let status = answer.status().as_u16();
                (status, answer.into_body().collect().await.map_err(|e| lost(e.to_string()))?.to_bytes())
            }
        };
        if status == 200 {
            return serde_json::from_slice(&bytes).map_err(|e| {
                lost(format!("the answer does not read: {e}; is the daemon of another version?"))
            });
        }
        Err(ClientError::Refused(refusal(status, &bytes)))
    }
}

fn refusal(status: u16, bytes: &[u8]) -> ErrorV1 {
    serde_json::from_slice::<ErrorBody>(bytes).map_or_else(
        |_| ErrorV1 {
            rule: format!("http/{status}"),
            message: format!("the gateway answers {status}: {}", String::from_utf8_lossy(bytes)),
            remedies: Vec::new(),
            outcome: if status < 500 {
                crate::words::Outcome::Usage
            } else {
                crate::words::Outcome::OwnFailure
            },
        },
        |body| body.error,
    )
}

/// A text in the form of a URL's part: everything but letters, digits and `-_.` as `%XX`.
#[must_use]
pub(crate) fn encode(text: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::new(), |mut out, b| {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.') {
            out.push(char::from(b));
        } else {
            let _written = write!(out, "%{b:02X}");
        }
        out
    })
}

/// The inverse of [`encode`].
#[must_use]
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(b) = rest.next() {
        if b == b'%' {
            let pair = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&pair).ok()?, 16).ok()?);
        } else {
            bytes.push(b);
        }
    }
    String::from_utf8(bytes).ok()
}

impl Client {
    /// A path with its parts encoded: `/v1/why/{}/{}`.
    #[must_use]
    pub fn path(template: &str, parts: &[&str]) -> String {
        let mut out = String::new();
        let mut parts = parts.iter();
        for piece in template.split_inclusive("{}") {
            match piece.strip_suffix("{}") {
                Some(before) => {
                    out.push_str(before);
                    out.push_str(&parts.next().map_or_else(String::new, |p| encode(p)));
                }
                None => out.push_str(piece),
            }
        }
        out
    }

    /// A query string of the pairs that have a value.
    #[must_use]
    pub fn query(pairs: &[(&str, Option<String>)]) -> String {
        let given: Vec<String> =
            pairs.iter().filter_map(|(k, v)| v.as_ref().map(|v| format!("{k}={}", encode(v)))).collect();
        if given.is_empty() { String::new() } else { format!("?{}", given.join("&")) }
    }
}
