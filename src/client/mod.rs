//! A client of a gateway: sends HTTP requests to the daemon's Unix socket, or to the same routes in its own process.
//!
//! Every wait has a time limit. If the limit is reached, the error names the answer that did not come.
//!
//! ```
//! use andon::client::Client;
//!
//! assert_eq!(Client::path("/v1/why/{}/{}", &["press-7", "a/b"]), "/v1/why/press-7/a%2Fb");
//! let pairs = [("equipment", Some("oven 2".to_owned())), ("since", None)];
//! assert_eq!(Client::query(&pairs), "?equipment=oven%202");
//! ```
//!
//! The [`crate::cli`] connects a [`Client`] for each command and prints the answers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::http::{Method, Request};
use http_body_util::BodyExt;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use tower::ServiceExt;

use crate::api::transport::{Peer, connect};
use crate::api::{PERSON_HEADER, encode};
use crate::limits;
use crate::v1::{ErrorBody, ErrorV1};

/// Sends requests to one gateway.
pub struct Client(Target);

/// The receiver of the requests.
enum Target {
    /// A daemon's socket. If the daemon has closed an idle connection, the client connects again.
    Socket { path: PathBuf, sender: SendRequest<Body> },
    /// The routes of the API in this process, without a daemon.
    InProcess(Router),
}

/// The reason why a request has no successful answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// There is no connection, or the connection was lost.
    #[error("{0}")]
    Unreachable(String),
    /// The gateway does not answer in time.
    #[error("the gateway has not answered within {} s; waited for: {what}", .waited.as_secs())]
    NoAnswer {
        /// The answer that did not come, in words.
        what: String,
        /// The time limit of this wait.
        waited: Duration,
    },
    /// The gateway refuses the request, or fails.
    #[error("{}", .0.message)]
    Refused(ErrorV1),
}

/// Makes an error of a connection or of an answer that cannot be read.
fn lost(e: impl std::fmt::Display) -> ClientError {
    ClientError::Unreachable(e.to_string())
}

/// Waits for a part of an answer, at most as long as `waited`. `what` names the part for the error.
async fn within<T>(
    waited: Duration,
    what: &str,
    part: impl Future<Output = Result<T, ClientError>>,
) -> Result<T, ClientError> {
    tokio::time::timeout(waited, part)
        .await
        .unwrap_or_else(|_| Err(ClientError::NoAnswer { what: what.to_owned(), waited }))
}

/// Returns the time limit for the beginning of an answer. A request that reads much data or asks equipment gets more
/// time.
fn patience(method: &Method, path: &str, body: Option<&serde_json::Value>) -> Duration {
    let is_long = if *method == Method::GET {
        const LONG: [&str; 3] = ["/v1/audit/", "/v1/reports/", "/v1/history"];
        LONG.iter().any(|l| path.starts_with(l)) || path.starts_with("/v1/links/")
    } else {
        // A step that the gateway checks waits for its `for`. A write waits until the point is read back.
        let verb = body.and_then(|b| b.get("verb")).and_then(|v| v.as_str());
        verb == Some("step") || path.starts_with("/v1/equipment/") || path == "/v1/reload"
    };
    if is_long { limits::CLIENT_LONG_ANSWER_MAX } else { limits::CLIENT_ANSWER_MAX }
}

async fn handshake(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) -> Result<SendRequest<Body>, ClientError> {
    let (sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(lost)?;
    tokio::spawn(connection);
    Ok(sender)
}

async fn connected(path: &Path) -> Result<SendRequest<Body>, ClientError> {
    let shown = path.display();
    let connecting = async {
        let stream = connect(path).await.map_err(|e| lost(format!("{shown}: {e}")))?;
        handshake(stream).await
    };
    within(limits::CLIENT_CONNECT_MAX, &format!("a connection at {shown}"), connecting).await
}

async fn whole<B>(mut body: B, what: &str) -> Result<Vec<u8>, ClientError>
where
    B: hyper::body::Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    let what = format!("the rest of {what}");
    let mut bytes = Vec::new();
    loop {
        let next = async { body.frame().await.transpose().map_err(lost) };
        let Some(frame) = within(limits::CLIENT_ANSWER_MAX, &what, next).await? else { return Ok(bytes) };
        if let Some(data) = frame.data_ref() {
            bytes.extend_from_slice(data);
        }
    }
}

impl Client {
    /// Connects to a daemon's socket.
    ///
    /// # Errors
    /// If no daemon listens on this socket.
    pub async fn connect(socket: &Path) -> Result<Self, ClientError> {
        let sender = connected(socket).await?;
        Ok(Client(Target::Socket { path: socket.to_owned(), sender }))
    }

    /// Returns a client of routes in this process.
    #[must_use]
    pub fn in_process(router: Router) -> Self {
        Client(Target::InProcess(router))
    }

    /// Sends a request and reads the answer as a `T`. `by` is the name of the person who acts.
    ///
    /// # Errors
    /// If the gateway refuses or does not answer, if the connection is lost, or if the answer is not a `T`.
    pub async fn send<T: DeserializeOwned>(
        &mut self,
        method: Method,
        path: &str,
        by: Option<&str>,
        body: Option<&serde_json::Value>,
    ) -> Result<T, ClientError> {
        serde_json::from_str(&self.ask(method, path, by, body).await?).map_err(|e| Self::unreadable(&e))
    }

    /// Returns the error for an answer that this version of the client cannot read.
    #[must_use]
    pub fn unreadable(e: &serde_json::Error) -> ClientError {
        lost(format!("the answer cannot be read: {e}; is the daemon of another version?"))
    }

    /// Sends a request and returns the text of the answer (JSON).
    ///
    /// # Errors
    /// If the gateway refuses or does not answer, or if the connection is lost.
    pub async fn ask(
        &mut self,
        method: Method,
        path: &str,
        by: Option<&str>,
        body: Option<&serde_json::Value>,
    ) -> Result<String, ClientError> {
        let patience = patience(&method, path, body);
        let what = format!("the answer to {method} {path}");
        let mut request = Request::builder().method(method).uri(path).header("host", "andon");
        if let Some(by) = by {
            request = request.header(PERSON_HEADER, encode(by));
        }
        let body = match body {
            Some(json) => {
                request = request.header("content-type", "application/json");
                Body::from(json.to_string())
            }
            None => Body::empty(),
        };
        let mut request = request.body(body).map_err(lost)?;
        let (status, bytes) = match &mut self.0 {
            Target::Socket { path, sender } => {
                if sender.is_closed() {
                    *sender = connected(path).await?;
                }
                let head = async {
                    match sender.try_send_request(request).await {
                        Ok(answer) => Ok(answer),
                        // The daemon has closed the idle connection. The request was not sent, so send it again.
                        Err(mut e) => match e.take_message() {
                            Some(request) => {
                                *sender = connected(path).await?;
                                sender.send_request(request).await.map_err(lost)
                            }
                            None => Err(lost(e.into_error())),
                        },
                    }
                };
                let answer = within(patience, &what, head).await?;
                (answer.status().as_u16(), whole(answer.into_body(), &what).await?)
            }
            Target::InProcess(router) => {
                request.extensions_mut().insert(ConnectInfo(Peer::this_process()));
                let head = async {
                    Ok(router.clone().oneshot(request).await.unwrap_or_else(|never| match never {}))
                };
                let answer = within(patience, &what, head).await?;
                (answer.status().as_u16(), whole(answer.into_body(), &what).await?)
            }
        };
        if status == 200 {
            return String::from_utf8(bytes).map_err(lost);
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

impl Client {
    /// Fills the `{}` of a path template with `parts`, each percent-encoded.
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

    /// Returns a query string of all pairs that have a value; an empty text if no pair has a value.
    #[must_use]
    pub fn query(pairs: &[(&str, Option<String>)]) -> String {
        let given: Vec<String> =
            pairs.iter().filter_map(|(k, v)| v.as_ref().map(|v| format!("{k}={}", encode(v)))).collect();
        if given.is_empty() { String::new() } else { format!("?{}", given.join("&")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::Instant;

    /// Lets a gateway send the bytes `answered` and then nothing. Returns the waiting time of the client and its error.
    async fn waits(answered: &'static str, path: &str) -> (Duration, String) {
        let (mut gateway, stream) = duplex(4096);
        let silent = tokio::spawn(async move {
            let mut seen = vec![0; 4096];
            assert!(gateway.read(&mut seen).await.unwrap() > 0);
            gateway.write_all(answered.as_bytes()).await.unwrap();
            std::future::pending::<()>().await;
        });
        let sender = handshake(stream).await.unwrap();
        let mut client = Client(Target::Socket { path: PathBuf::from("/nowhere"), sender });
        let begin = Instant::now();
        let end = client.send::<serde_json::Value>(Method::GET, path, None, None).await;
        silent.abort();
        assert!(matches!(end, Err(ClientError::NoAnswer { .. })), "{end:?}");
        (Instant::now() - begin, end.unwrap_err().to_string())
    }

    #[tokio::test(start_paused = true)]
    async fn every_wait_for_an_answer_has_an_end() {
        let (waited, said) = waits("", "/v1/status").await;
        assert_eq!(waited, limits::CLIENT_ANSWER_MAX);
        assert_eq!(
            said,
            "the gateway has not answered within 20 s; waited for: the answer to GET /v1/status"
        );
        let half = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{";
        let (waited, said) = waits(half, "/v1/status").await;
        assert_eq!(waited, limits::CLIENT_ANSWER_MAX);
        assert!(said.contains("the rest of the answer to GET /v1/status"), "{said}");
        let (waited, _) = waits("", "/v1/audit/verify").await;
        assert_eq!(waited, limits::CLIENT_LONG_ANSWER_MAX);
    }

    #[tokio::test]
    async fn a_quiet_connection_that_was_closed_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("andon.sock");
        let listener = crate::api::transport::bind(&path).unwrap();
        let gateway = tokio::spawn(async move {
            for _ in 0..3 {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut seen = vec![0; 4096];
                assert!(stream.read(&mut seen).await.unwrap() > 0);
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n1").await.unwrap();
            }
        });
        let mut client = Client::connect(&path).await.unwrap();
        for _ in 0..3 {
            assert_eq!(client.send::<u8>(Method::GET, "/", None, None).await.unwrap(), 1);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        gateway.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn routes_in_this_process_have_their_time_as_well() {
        let router = Router::new().route("/", axum::routing::get(std::future::pending::<String>));
        let end = Client::in_process(router).send::<String>(Method::GET, "/", None, None).await;
        assert!(matches!(end, Err(ClientError::NoAnswer { .. })), "{end:?}");
    }

    #[test]
    fn what_takes_its_time_is_waited_for() {
        let is_long = |method: Method, path: &str, body: serde_json::Value| {
            patience(&method, path, Some(&body)) == limits::CLIENT_LONG_ANSWER_MAX
        };
        let none = || serde_json::json!(null);
        assert!(is_long(Method::GET, "/v1/links/plc/try?unit=1", none()));
        assert!(is_long(Method::POST, "/v1/tickets/1", serde_json::json!({"verb": "step", "step": "bus"})));
        assert!(is_long(Method::POST, "/v1/equipment/press-7/points/speed", none()));
        assert!(!is_long(Method::POST, "/v1/tickets/1", serde_json::json!({"verb": "acknowledge"})));
        assert!(!is_long(Method::GET, "/v1/tickets", none()));
    }
}
