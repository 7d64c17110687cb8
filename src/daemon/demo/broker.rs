//! The MQTT broker of the demo: the given one, or an installed mosquitto that the demo starts on a free port.

use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};

use crate::ambient;

/// A broker for the demo. A mosquitto that the demo started ends with the demo.
pub(super) struct DemoBroker {
    pub host: String,
    pub port: u16,
    _child: Option<Child>,
}

impl DemoBroker {
    /// Returns the broker of a URL `mqtt://host:port`; `None` if the URL has another form.
    pub(super) fn named(url: &str) -> Option<Self> {
        let rest = url.strip_prefix("mqtt://")?.trim_end_matches('/');
        let (host, port) = rest.split_once(':').unwrap_or((rest, "1883"));
        let port = port.parse().ok()?;
        (!host.is_empty()).then(|| Self { host: host.to_owned(), port, _child: None })
    }

    /// Starts the mosquitto of this computer; `None` if it is not installed or does not start.
    pub(super) async fn found(dir: &Path) -> Option<Self> {
        let path = ambient::variable("PATH")?;
        let folders = path.split(':').chain(["/usr/sbin", "/usr/local/sbin"]);
        let program = folders.map(|f| Path::new(f).join("mosquitto")).find(|p| p.is_file())?;
        let port = TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        let config = dir.join("mosquitto.conf");
        super::folder::write(&config, &format!("listener {port} 127.0.0.1\nallow_anonymous true\n")).ok()?;
        let mut child = Command::new(program)
            .arg("-c")
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .ok()?;
        const LOOKS: u32 = 40;
        const LOOK_EVERY: Duration = Duration::from_millis(50);
        for _ in 0..LOOKS {
            if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Some(Self { host: "127.0.0.1".to_owned(), port, _child: Some(child) });
            }
            if child.try_wait().ok()?.is_some() {
                return None;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        None
    }

    /// Returns the lines for `andon.toml`: the link and the plug.
    pub(super) fn site(&self) -> String {
        format!(
            "\n[[link]]\nname = \"shop\"\nkind = \"mqtt\"\nurl = \"mqtt://{}:{}\"\n\n[[equipment]]\nid = \"plug-4\"\n\
             name = \"Coolant pump's plug\"\nprofile = \"tasmota-energy\"\nlink = \"shop\"\ntopic = \"{TOPIC}\"\n\
             location = \"Hall 2 / Line 3\"\ncriticality = \"C\"\n",
            self.host, self.port
        )
    }
}

/// The MQTT topic of the plug.
pub(super) const TOPIC: &str = "andon-demo-plug";
