//! The demo: a simulated plant, a real daemon that reads it, a fault, and a narrator. The narrator prints the events and
//! the commands to type next.

mod broker;
mod folder;
mod story;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::oneshot;

use super::files::{load_site, socket_path};
use super::run;
use crate::ambient::Clock;
use crate::profile::{built_in, load as load_profile};
use crate::sim;
use crate::source::{Diagnostics, SourceText};
use broker::{DemoBroker, TOPIC};
use story::Story;

const PLANT: &str = include_str!("plant.toml");
const SITE: &str = include_str!("andon.toml");

/// The settings of the demo.
#[derive(Debug, Clone)]
pub struct DemoSetup {
    /// The directory for the demo; `None` for a new temporary directory.
    pub dir: Option<PathBuf>,
    /// The name of the program, for the commands that the narrator prints.
    pub program: String,
    /// The broker of the plug, `mqtt://host:port`. `None`: the demo starts an installed mosquitto, or has no plug.
    pub broker: Option<String>,
    /// True if the narrator does all steps of the ticket and then ends.
    pub auto: bool,
}

/// The reason why the demo cannot run, as a sentence.
#[derive(Debug, thiserror::Error)]
#[error("the demo cannot run: {0}")]
pub struct DemoError(pub String);

impl DemoError {
    fn of(e: impl std::fmt::Display) -> Self {
        Self(e.to_string())
    }
}

/// Runs the demo until `stop` is done, or, in auto mode, until the ticket is closed. `tell` prints a text.
///
/// # Errors
/// If the plant or the daemon cannot be started, or the files of the site cannot be written.
pub async fn demo(
    setup: DemoSetup,
    tell: &mut dyn FnMut(&str),
    stop: impl Future<Output = ()>,
) -> Result<(), DemoError> {
    let clock = Clock::start();
    let dir = folder::of_its_own(setup.dir.as_deref())?;
    let serving = plant(&dir, clock).await?;
    let broker = match &setup.broker {
        Some(url) => {
            Some(DemoBroker::named(url).ok_or_else(|| DemoError(format!("{url} is not mqtt://HOST:PORT")))?)
        }
        None => DemoBroker::found(&dir).await,
    };
    let mut plug = tokio::task::JoinSet::new();
    if let Some(broker) = &broker {
        plug.spawn(sim::plug(broker.host.clone(), broker.port, TOPIC.to_owned(), clock));
    }
    let config = write_site(&dir, &serving, broker.as_ref())?;
    let loaded = load_site(&config).map_err(DemoError::of)?;
    let site = loaded.site.ok_or_else(|| DemoError(Diagnostics::lines_of(&loaded.diagnostics).join("\n")))?;
    let data = dir.join("data");
    let (stop_daemon, stopped) = oneshot::channel::<()>();
    let daemon_data = data.clone();
    let demo_config = config.clone();
    let mut daemon = tokio::spawn(async move {
        let stop = async {
            // The daemon stops also when the sender is dropped.
            let _told = stopped.await;
        };
        let start = run::Start { site, config: Some(demo_config), data: daemon_data, clock };
        run::run(start, stop).await
    });
    let socket = socket_path(&data);
    let place = broker.as_ref().map(|b| format!("{}:{}", b.host, b.port));
    let mut story = Story::new(&setup, &config, &socket, &serving, clock, tell);
    story.broker = place;
    let end = tokio::select! {
        end = story.tell() => end,
        () = stop => Ok(()),
        end = &mut daemon => return Err(DemoError(match end {
            Ok(Ok(())) => "the daemon ended".to_owned(),
            Ok(Err(e)) => e.to_string(),
            Err(e) => e.to_string(),
        })),
    };
    drop(stop_daemon);
    daemon.await.map_err(DemoError::of)?.map_err(DemoError::of)?;
    tell(&format!("\nThe demo has ended. Its configuration and journal are in {}\n", dir.display()));
    end
}

async fn plant(dir: &Path, clock: Clock) -> Result<sim::Serving, DemoError> {
    let profiles = |name: &crate::words::ProfileName| {
        let text = built_in(name)?;
        load_profile(name, &text).0.map(Arc::new)
    };
    let (plant, diagnostics) = sim::load(&SourceText::new("demo plant", PLANT), 7, &profiles);
    let plant = plant.ok_or_else(|| DemoError(diagnostics.lines().join("\n")))?;
    sim::serve(plant, dir, clock).await.map_err(DemoError::of)
}

/// Writes `andon.toml` with the addresses of the simulated lines.
fn write_site(dir: &Path, serving: &sim::Serving, broker: Option<&DemoBroker>) -> Result<PathBuf, DemoError> {
    let mut text = SITE.to_owned();
    for (name, place) in &serving.places {
        text = text.replace(&format!("{{{name}}}"), place);
    }
    if let Some(broker) = broker {
        text.push_str(&broker.site());
    }
    let path = dir.join("andon.toml");
    folder::write(&path, &text).map_err(DemoError::of)?;
    Ok(path)
}
