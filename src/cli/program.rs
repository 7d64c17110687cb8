//! [`Program`]: loads the site, finds the gateway for a command (a daemon, or the data directory opened in this process),
//! and runs the daemon, the simulator and the demo.

use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::options::{DemoArgs, SimArgs};
use super::render::screen;
use serde::Serialize;

use crate::ambient::Clock;
use crate::client::Client;
use crate::daemon::{self, DemoSetup, DiskProfiles, InProcessGateway};
use crate::limits;
use crate::link::{Port, ports};
use crate::profile::load as load_profile;
use crate::sim;
use crate::site::{ProfileFiles, Site};
use crate::source::{Diagnostics, SourceText};
use crate::words::{Outcome, ProfileName};

/// A client of a gateway, or the reason why there is none.
pub type Connected = Result<Client, OwnError>;

/// The outcome of a command that failed, and the message for the person.
pub type OwnError = (Outcome, String);

/// A serial port of this computer.
#[derive(Debug, Clone, Serialize)]
pub struct PortRow {
    /// The device file, for example `/dev/ttyUSB0`.
    pub port: String,
    /// The path under `/dev/serial/by-id/`, which does not depend on the order of plugging in.
    pub by_id: Option<String>,
    /// USB vendor, product and serial number; `None` for a port that is not USB.
    pub usb: Option<String>,
    /// Name of the adapter or the port, in words.
    pub device: String,
}

/// The reason why a command of the program fails: a file with errors, or another reason.
pub enum CliErrorOrFiles {
    /// The errors in the files.
    Files(Vec<Diagnostics>),
    /// Another reason.
    Other(OwnError),
}

/// The commands' access to the rest of the program: the site, a gateway, the daemon, the simulator.
pub struct Program {
    /// The gateway that was opened in this process; `None` if a daemon runs, or if no command has asked yet.
    here: RefCell<Option<InProcessGateway>>,
}

impl Program {
    /// Returns a program that has not opened a gateway yet.
    #[must_use]
    pub fn new() -> Self {
        Self { here: RefCell::new(None) }
    }

    /// Closes the gateway that was opened for this command, and returns the outcome of the command.
    pub(super) async fn close(&self, outcome: Outcome) -> Outcome {
        let here = self.here.borrow_mut().take();
        let Some(here) = here else { return outcome };
        if here.close().await {
            return outcome;
        }
        anstream::eprintln!("error: the data directory was not closed correctly");
        Outcome::OwnFailure
    }
}

/// Makes an internal failure of an error.
fn own<E: std::fmt::Display>(e: E) -> OwnError {
    (Outcome::OwnFailure, e.to_string())
}

impl Program {
    /// Reads `andon.toml` and its profiles.
    pub(super) fn site(&self, config: &Path) -> io::Result<(Option<Arc<Site>>, Vec<Diagnostics>)> {
        let loaded = daemon::load_site(config)?;
        Ok((loaded.site, loaded.diagnostics))
    }

    /// Returns the data directory: the given directory, else the directory in the configuration.
    pub(super) fn data(&self, site: &Site, config: &Path, given: Option<&Path>) -> PathBuf {
        daemon::data_folder(site, config, given)
    }

    /// Returns the profiles that belong to the configuration at this path.
    pub(super) fn profiles(&self, config: &Path) -> Box<dyn ProfileFiles> {
        Box::new(DiskProfiles::beside(config))
    }

    /// Connects to the daemon. If no daemon runs, opens the data directory in this process and returns a client of it.
    pub(super) async fn client(&self, site: Arc<Site>, data: &Path) -> Connected {
        let looks = limits::LOCK_WAIT_MAX.as_millis() / limits::LOCK_LOOK_EVERY.as_millis();
        let mut why = String::new();
        for _ in 0..looks {
            match Client::connect(&daemon::socket_path(data)).await {
                Ok(client) => return Ok(client),
                Err(e) => why = e.to_string(),
            }
            let mut rebuilding = |share: f64| {
                let percent = share * 100.0;
                anstream::eprint!("\rrebuilding the ticket database from the journal: {percent:.0} % ");
            };
            if let Some(here) = daemon::open_in_process(site.clone(), data, &mut rebuilding).map_err(own)? {
                let client = here.client();
                *self.here.borrow_mut() = Some(here);
                return Ok(client);
            }
            // Another command uses the data directory, or a daemon is starting or stopping.
            tokio::time::sleep(limits::LOCK_LOOK_EVERY).await;
        }
        let text = format!(
            "another andon process uses {}, but no daemon answers on its socket: {why}. Wait until it has ended, or \
             look at the daemon's log",
            data.display()
        );
        Err((Outcome::Unreachable, text))
    }

    /// Connects to a daemon that still runs although the configuration has an error; `None` if no daemon runs.
    pub(super) async fn running(&self, config: &Path, given: Option<&Path>) -> Option<Client> {
        Client::connect(&daemon::socket_path(&daemon::data_folder_of(config, given)?)).await.ok()
    }

    /// Returns a client of a gateway that has this link open: the daemon, or a gateway opened in this process. `baud` is the
    /// baud rate to use instead of the configured rate; `None` keeps the configured rate.
    pub(super) async fn scanner(
        &self,
        site: Arc<Site>,
        data: &Path,
        link: &str,
        baud: Option<u32>,
    ) -> Connected {
        if self.here.borrow().is_none() {
            let client = self.client(site, data).await?;
            if self.here.borrow().is_none() {
                return match baud {
                    None => Ok(client),
                    Some(_) => Err((
                        Outcome::Refused,
                        format!(
                            "the daemon uses link {link} at its configured baud rate; stop the daemon to try other rates"
                        ),
                    )),
                };
            }
        }
        let here = self.here.borrow_mut().take();
        let mut here = here.ok_or_else(|| own("the data directory is closed"))?;
        here.open_link(link, baud).await;
        let client = here.client();
        *self.here.borrow_mut() = Some(here);
        Ok(client)
    }

    /// Returns the serial ports of this computer.
    pub(super) fn ports(&self) -> Vec<PortRow> {
        let row = |p: Port| PortRow { port: p.path, by_id: p.by_id, usb: p.usb, device: p.device };
        ports().into_iter().map(row).collect()
    }

    /// Runs the daemon until SIGTERM or SIGINT.
    pub(super) async fn daemon(&self, site: Arc<Site>, config: &Path, data: &Path) -> Result<(), OwnError> {
        let clock = Clock::start();
        let stop = stop_signal().map_err(own)?;
        let (config, data) = (Some(config.to_owned()), data.to_owned());
        let start = daemon::Start { site, config, data, clock };
        daemon::run(start, stop).await.map_err(|e| (e.outcome(), e.to_string()))
    }

    /// Serves simulated equipment until SIGTERM or SIGINT.
    pub(super) async fn sim(&self, args: &SimArgs) -> Result<(), CliErrorOrFiles> {
        let other = |e: OwnError| CliErrorOrFiles::Other(e);
        let shown = args.file.display().to_string();
        let text = std::fs::read_to_string(&args.file)
            .map_err(|e| other((Outcome::Usage, format!("{shown}: {e}"))))?;
        let files = DiskProfiles::beside(&args.file);
        let profiles = |name: &ProfileName| load_profile(name, &files.text(name)?).0.map(Arc::new);
        let (plant, diagnostics) = sim::load(&SourceText::new(&shown, &text), args.seed, &profiles);
        let Some(plant) = plant else { return Err(CliErrorOrFiles::Files(vec![diagnostics])) };
        let folder = args.file.parent().unwrap_or(Path::new("."));
        let stop = stop_signal().map_err(|e| other(own(e)))?;
        let serving = sim::serve(plant, folder, Clock::start()).await.map_err(|e| other(own(e)))?;
        for (name, place) in &serving.places {
            anstream::print!("{}", screen(&format!("line {name} is available at {place}\n")));
        }
        anstream::println!("ready; stop with Ctrl-C");
        stop.await;
        Ok(())
    }

    /// Runs the demo.
    pub(super) async fn demo(&self, args: &DemoArgs) -> Result<(), OwnError> {
        let (dir, broker) = (args.dir.clone(), args.broker.clone());
        let setup = DemoSetup { dir, program: program(), broker, auto: args.auto };
        let stop = stop_signal().map_err(own)?;
        let mut tell = |text: &str| anstream::print!("{}", screen(text));
        daemon::demo(setup, &mut tell, stop).await.map_err(own)
    }
}

/// Returns the path of this program, relative to the current directory if the program is below it.
fn program() -> String {
    let Ok(exe) = std::env::current_exe() else { return "andon".to_owned() };
    let here = std::env::current_dir().unwrap_or_default();
    match exe.strip_prefix(&here) {
        Ok(below) => below.display().to_string(),
        Err(_) => exe.display().to_string(),
    }
}

/// Returns a future that ends at the first SIGTERM or SIGINT.
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
