//! Servers and clients of other authors: pymodbus, libmodbus, socat, pysparkplug, mosquitto.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::eventually;

/// Returns a TCP port for a counterpart, or for nobody. The port is below those that the system gives out by itself, and no
/// other test gets it, so nothing takes the port before the test uses it.
pub fn free_port() -> u16 {
    const FIRST: u16 = 12_000;
    const COUNT: u32 = 20_000;
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    // Test programs that run at once begin far from each other.
    let begin = std::process::id().wrapping_mul(7919);
    loop {
        let next = begin.wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed)) % COUNT;
        let port = FIRST + u16::try_from(next).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A process that prints `ready`, then reads one command per line and answers `done`.
struct Controlled {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Controlled {
    fn start(mut command: Command) -> Self {
        let shown = format!("{command:?}");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{shown}: {e}; tests/run installs the counterparts"));
        let stdin = child.stdin.take().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut told = Self { child, stdin, stdout };
        told.expect("ready");
        told
    }

    fn expect(&mut self, word: &str) {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        assert_eq!(line.trim(), word);
    }

    fn tell(&mut self, line: &str) {
        writeln!(self.stdin, "{line}").unwrap();
        self.expect("done");
    }
}

impl Drop for Controlled {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// A pymodbus server. The value of a register shows its place: unit * 1000 + area digit * 100 + number % 100.
pub struct PymodbusServer(Controlled);

impl PymodbusServer {
    pub fn tcp(port: u16, units: &[u8]) -> Self {
        Self::start(&["tcp".to_owned(), port.to_string()], units)
    }

    pub fn rtu(device: &Path, baud: u32, units: &[u8]) -> Self {
        Self::start(&["rtu".to_owned(), device.display().to_string(), baud.to_string()], units)
    }

    pub fn ascii(device: &Path, baud: u32, units: &[u8]) -> Self {
        Self::start(&["ascii".to_owned(), device.display().to_string(), baud.to_string()], units)
    }

    fn start(place: &[String], units: &[u8]) -> Self {
        let mut command = Command::new(root().join("tests/.venv/bin/python"));
        command.arg(root().join("tests/peers/pymodbus_server.py")).args(place);
        command.args(units.iter().map(u8::to_string));
        Self(Controlled::start(command))
    }

    /// Writes a register of the area that `function` reads.
    pub fn set(&mut self, unit: u8, function: u8, address: u16, value: u16) {
        self.0.tell(&format!("set {unit} {function} {address} {value}"));
    }
}

/// A libmodbus server, in a C program that `tests/run` compiles.
pub struct LibmodbusServer(Controlled);

impl LibmodbusServer {
    pub fn tcp(port: u16) -> Self {
        let mut command = Command::new(root().join("tests/.peers/libmodbus_server"));
        command.arg(port.to_string());
        Self(Controlled::start(command))
    }

    /// Writes a holding register.
    pub fn set(&mut self, address: u16, value: u16) {
        self.0.tell(&format!("set {address} {value}"));
    }
}

/// Two pseudo-terminals that socat connects.
pub struct PtyPair {
    child: Child,
    pub ours: PathBuf,
    pub theirs: PathBuf,
}

impl PtyPair {
    pub fn new(folder: &Path) -> Self {
        let (ours, theirs) = (folder.join("ours.pty"), folder.join("theirs.pty"));
        let end = |path: &Path| format!("pty,raw,echo=0,link={}", path.display());
        let child = Command::new("socat")
            .args([end(&ours), end(&theirs)])
            .spawn()
            .unwrap_or_else(|e| panic!("socat: {e}; tests/run installs the counterparts"));
        eventually("socat joins two terminals", || {
            if ours.exists() && theirs.exists() { Ok(()) } else { Err(String::new()) }
        });
        Self { child, ours, theirs }
    }
}

impl Drop for PtyPair {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// The edge node `g/n` of pysparkplug with its device `d`.
pub struct SparkplugNode(Controlled);

impl SparkplugNode {
    pub fn new(port: u16) -> Self {
        let mut command = Command::new(root().join("tests/.venv/bin/python"));
        command.arg(root().join("tests/peers/sparkplug_node.py")).args([&port.to_string(), "g", "n", "d"]);
        Self(Controlled::start(command))
    }

    pub fn tell(&mut self, line: &str) {
        self.0.tell(line);
    }
}

/// A mosquitto broker with its own configuration.
pub struct Mosquitto {
    folder: PathBuf,
    child: Option<Child>,
    pub port: u16,
}

impl Mosquitto {
    /// Starts the broker; `settings` are lines of its configuration.
    pub fn new(folder: &Path, settings: &str) -> Self {
        let port = free_port();
        let text = format!(
            "listener {port} 127.0.0.1\npersistence true\npersistence_location {}/\nuser root\n{settings}\n",
            folder.display()
        );
        std::fs::write(folder.join("mosquitto.conf"), text).unwrap();
        let mut broker = Self { folder: folder.to_owned(), child: None, port };
        broker.start();
        broker
    }

    pub fn start(&mut self) {
        let child = Command::new("mosquitto")
            .args(["-c", "mosquitto.conf"])
            .current_dir(&self.folder)
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("mosquitto: {e}; tests/run installs the counterparts"));
        self.child = Some(child);
        let port = self.port;
        eventually("mosquitto listens", || {
            std::net::TcpStream::connect(("127.0.0.1", port)).map(|_| ()).map_err(|e| e.to_string())
        });
    }

    /// Stops the broker normally, so that it keeps its sessions.
    pub fn stop(&mut self) {
        let mut child = self.child.take().unwrap();
        let told = Command::new("kill").arg(child.id().to_string()).status().unwrap();
        assert!(told.success());
        child.wait().unwrap();
    }

    /// Publishes with mosquitto_pub at QoS 1.
    pub fn publish(&self, topic: &str, payload: &str, options: &[&str]) {
        let done = Command::new("mosquitto_pub")
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-q", "1", "-t", topic, "-m", payload])
            .args(options)
            .status()
            .unwrap_or_else(|e| panic!("mosquitto_pub: {e}; tests/run installs the counterparts"));
        assert!(done.success());
    }
}

impl Mosquitto {
    /// Publishes each line as one message, or the whole text as one message of any length.
    pub fn publish_from_stdin(&self, topic: &str, text: &[u8], is_by_line: bool) {
        let mut child = Command::new("mosquitto_pub")
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-q", "1", "-t", topic])
            .arg(if is_by_line { "-l" } else { "-s" })
            .stdin(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("mosquitto_pub: {e}; tests/run installs the counterparts"));
        child.stdin.take().unwrap().write_all(text).unwrap();
        assert!(child.wait().unwrap().success());
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}
