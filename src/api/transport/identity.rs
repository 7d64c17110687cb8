//! [`Identity`]: the account from the connection, and the name from the request.

use axum::extract::FromRequestParts;
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::http::request::Parts;
use axum::serve::IncomingStream;

use super::BoundedListener;
use crate::ambient;
use crate::api::{PERSON_HEADER, decode};
use crate::words::Author;

/// The user id of the account at the other end of a connection; `None` if the system does not give it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(Option<u32>);

impl Peer {
    /// Returns the account of this process, for requests inside the process.
    #[must_use]
    pub fn this_process() -> Self {
        Self(Some(ambient::uid()))
    }
}

impl Connected<IncomingStream<'_, BoundedListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, BoundedListener>) -> Self {
        Self(stream.io().peer_uid())
    }
}

/// The person who asks. Every route that changes something takes this argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity(pub Author);

impl Identity {
    /// Combines name and account. andon accepts a given name, and records the name together with the account. Without a
    /// name, the account is the person.
    fn of(given: Option<String>, account: Option<String>) -> Self {
        Self(match (given, account) {
            (None, Some(name)) => Author::OsUser { name },
            (Some(given), Some(account)) if given == account => Author::OsUser { name: account },
            (Some(name), os_user) => Author::Unproven { name, os_user },
            (None, None) => Author::unproven(""),
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Identity {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        let given = parts.headers.get(PERSON_HEADER).and_then(|h| h.to_str().ok()).and_then(decode);
        let peer = parts.extensions.get::<ConnectInfo<Peer>>().and_then(|info| info.0.0);
        let account = match peer {
            // The lookup of the account can wait for a directory server in the network.
            Some(uid) => tokio::task::spawn_blocking(move || ambient::account(uid)).await.ok(),
            None => None,
        };
        Ok(Self::of(given, account))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(given: Option<&str>, account: Option<&str>) -> Author {
        Identity::of(given.map(str::to_owned), account.map(str::to_owned)).0
    }

    #[test]
    fn an_account_is_proven_by_the_transport_alone() {
        assert_eq!(of(None, Some("kim")), Author::OsUser { name: "kim".to_owned() });
        assert_eq!(of(Some("kim"), Some("kim")), Author::OsUser { name: "kim".to_owned() });
        let eva = Author::Unproven { name: "eva".to_owned(), os_user: Some("kim".to_owned()) };
        assert_eq!(of(Some("eva"), Some("kim")), eva);
        assert_eq!(of(Some("root"), None), Author::unproven("root"), "a header proves nothing");
        assert_eq!(of(None, None), Author::unproven(""));
    }
}
