//! A reload: the files are read outside the daemon's main thread, and then used completely or not at all.

use std::path::Path;

use axum::extract::FromRef;
use tokio::sync::oneshot;

use super::files::{data_folder, load_site};
use super::link_supervisor::LinkSupervisor;
use super::run::warn_of_heavy_lines;
use crate::api::{Gateway, Message, Reloaded, Served};
use crate::site::Equipment;
use crate::source::Diagnostics;

/// Loads the configuration again. If a file has an error, nothing changes, and the result is the reason.
pub(super) async fn reload(
    config: &Path,
    data: &Path,
    gateway: &Gateway,
    served: &Served,
    supervisor: &mut LinkSupervisor,
) -> Result<Reloaded, String> {
    let done = async {
        // A separate thread: reading a large file must not delay the links.
        let path = config.to_owned();
        let loaded =
            tokio::task::spawn_blocking(move || load_site(&path)).await.map_err(|e| e.to_string())?;
        let loaded = loaded.map_err(|e| format!("{}: {e}", config.display()))?;
        let Some(site) = loaded.site else {
            return Err(Diagnostics::lines_of(&loaded.diagnostics).join("; "));
        };
        let before = Gateway::from_ref(served).site;
        if data_folder(&site, config, None) != data_folder(&before, config, None) {
            return Err("a changed data directory needs a restart of the daemon".to_owned());
        }
        let same = site.same_as(&before);
        let is_new = |e: &&Equipment| {
            same.iter().all(|(_, to)| site.equipment.get(to.0).map(|s| &s.id) != Some(&e.id))
        };
        let changed: Vec<String> = site.equipment.iter().filter(is_new).map(|e| e.id.to_string()).collect();
        let is_gone = |e: &&Equipment| site.find(e.id.as_str()).is_none();
        let removed: Vec<String> =
            before.equipment.iter().filter(is_gone).map(|e| e.id.to_string()).collect();
        warn_of_heavy_lines(&site);
        // The desk changes first. Batches that links still send for the old site have the version of that site.
        let (tx, rx) = oneshot::channel();
        let gone = |()| "the gateway is stopping".to_owned();
        gateway.desk.send(Message::Reload(site.clone(), tx)).await.map_err(|_| gone(()))?;
        rx.await.map_err(|_| gone(()))?;
        supervisor.reload(site.clone()).await;
        served.replace(site, supervisor.boards());
        Ok(Reloaded { kept: same.len(), changed, removed })
    }
    .await;
    match &done {
        Ok(r) => tracing::info!(
            "the configuration was loaded again from {} (data directory {}): {} unchanged, {} new or changed, {} removed",
            config.display(),
            data.display(),
            r.kept,
            r.changed.len(),
            r.removed.len()
        ),
        Err(why) => tracing::error!("the configuration was not loaded, nothing was changed: {why}"),
    }
    done
}
