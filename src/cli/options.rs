//! Options that the other files of this module read: the global ones, and those of the daemon, the simulator and the demo.

use std::path::PathBuf;

use crate::daemon::Levels;

/// The options that every command has.
#[derive(Debug, Clone, clap::Args)]
pub struct Global {
    /// Configuration of the gateway [default: ./andon.toml, then /etc/andon/andon.toml]
    #[arg(long, global = true, value_name = "FILE", env = "ANDON_CONFIG", help_heading = "Global options")]
    pub config: Option<PathBuf>,
    /// Data directory [default: the data directory in the configuration]
    #[arg(long, global = true, value_name = "DIR", env = "ANDON_DATA", help_heading = "Global options")]
    pub data: Option<PathBuf>,
    /// Your name [default: the user who is logged in]
    #[arg(
        long = "as",
        global = true,
        value_name = "PERSON",
        env = "ANDON_PERSON",
        help_heading = "Global options"
    )]
    pub person: Option<String>,
    /// Print JSON
    #[arg(long, global = true, help_heading = "Global options")]
    pub json: bool,
    /// Print a list as CSV
    // A text, because `profile replay` has an option of this name that takes a file.
    #[arg(
        long,
        global = true,
        num_args = 0,
        default_missing_value = "",
        conflicts_with = "json",
        help_heading = "Global options"
    )]
    csv: Option<String>,
}

impl Global {
    /// Returns true if a list must be printed as CSV.
    pub fn is_csv(&self) -> bool {
        self.csv.as_ref().is_some_and(String::is_empty)
    }
}

/// `andon daemon`
#[derive(Debug, clap::Args)]
pub struct DaemonArgs {
    /// What to log: LEVEL, or AREA=LEVEL for a module (andon::link) or a library (rumqttc), separated by commas
    #[arg(long, value_name = "LEVELS", env = "ANDON_LOG", default_value = Levels::DAEMON)]
    pub log: Levels,
}

/// `andon sim FILE`
#[derive(Debug, clap::Args)]
pub struct SimArgs {
    /// File that describes the plant
    pub file: PathBuf,
    /// Number that sets the random noise; the same number gives the same noise
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// `andon demo`
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// Directory for the demo's files [default: a new directory for temporary files]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Broker for the simulated metering plug, mqtt://HOST:PORT [default: the demo starts mosquitto, if it is installed]
    #[arg(long, value_name = "URL")]
    pub broker: Option<String>,
    /// Do every step of the ticket automatically and end when the ticket is closed
    #[arg(long)]
    pub auto: bool,
}
