//! `POST /v1/reload`: the configuration is loaded again, all of it or nothing.

use axum::Json;
use axum::extract::State;
use tokio::sync::oneshot;

use super::Answer;
use crate::api::Gateway;
use crate::v1::ReloadedV1;
use crate::words::{Refusal, Rule};

pub(super) async fn reload(State(g): State<Gateway>) -> Answer<ReloadedV1> {
    let Some(asks) = &g.reload else {
        return Err(Refusal::new(Rule::NeedsDaemon, "no daemon runs that could load it again")
            .command("it is loaded when one starts", "andon daemon")
            .into());
    };
    let gone = || Refusal::new(Rule::TooBusy, "the gateway is stopping");
    let (tx, rx) = oneshot::channel();
    asks.send(tx).await.map_err(|_| gone())?;
    let reloaded = rx.await.map_err(|_| gone())?;
    let done = reloaded.map_err(|why| {
        Refusal::new(Rule::BadConfiguration, format!("nothing was changed: {why}"))
            .remedy("mend the file and ask again; the gateway goes on as before")
    })?;
    Ok(Json(ReloadedV1 { kept: done.kept, changed: done.changed, removed: done.removed }))
}
