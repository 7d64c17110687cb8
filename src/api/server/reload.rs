//! `POST /v1/reload`: loads the configuration again, completely or not at all.

use axum::Json;
use axum::extract::State;
use tokio::sync::oneshot;

use super::Answer;
use crate::api::Gateway;
use crate::v1::ReloadedV1;
use crate::words::{Refusal, Rule};

pub(super) async fn reload(State(g): State<Gateway>) -> Answer<ReloadedV1> {
    let Some(asks) = &g.reload else {
        return Err(Refusal::new(Rule::NeedsDaemon, "no daemon is running, so nothing can be reloaded")
            .command("the daemon reads the configuration when it starts", "andon daemon")
            .into());
    };
    let gone = || Refusal::new(Rule::TooBusy, "the gateway is stopping");
    let (tx, rx) = oneshot::channel();
    asks.send(tx).await.map_err(|_| gone())?;
    let reloaded = rx.await.map_err(|_| gone())?;
    let done = reloaded.map_err(|why| {
        Refusal::new(Rule::BadConfiguration, format!("nothing was changed: {why}"))
            .remedy("correct the file and try again; the gateway continues with the previous configuration")
    })?;
    Ok(Json(ReloadedV1 { kept: done.kept, changed: done.changed, removed: done.removed }))
}
