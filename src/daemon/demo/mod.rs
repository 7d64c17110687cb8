//! The demo: a simulated plant on real wires, the real daemon on them, a fault, and a narrator who says what happens
//! and what to type next.

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

/// How the demo runs.
#[derive(Debug, Clone)]
pub struct DemoSetup {
    /// Where its site is put; else in a new directory for temporary files.
    pub dir: Option<PathBuf>,
    /// How the program is called, for the commands that the narrator proposes.
    pub program: String,
    /// The broker of its plug, `mqtt://host:port`; else a mosquitto that is installed, else no plug.
    pub broker: Option<String>,
    /// Whether the narrator works the ticket himself and ends.
    pub auto: bool,
}

/// Why the demo does not run, as a sentence.
#[derive(Debug, thiserror::Error)]
#[error("the demo does not run: {0}")]
pub struct DemoError(pub String);

impl DemoError {
    fn of(e: impl std::fmt::Display) -> Self {
        Self(e.to_string())
    }
}

/// Runs the demo until `stop` is done, or, in auto mode, the story is told. `tell` prints a text.
///
/// # Errors
/// When the plant, the site or the daemon cannot be had.
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
            // Dropping the other end stops the daemon as well.
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
    tell(&format!("\nThe demo has ended. Its site and record are in {}\n", dir.display()));
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

/// Writes `andon.toml` with the wires' true places.
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
