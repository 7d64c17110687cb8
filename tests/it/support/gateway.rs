//! A gateway in its own temporary directory, and its command line.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

use super::eventually;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A site with profiles, a data directory and possibly a daemon. When the value is dropped, the daemon is killed and the
/// directory is deleted.
pub struct Gateway {
    folder: PathBuf,
    data: Option<PathBuf>,
    daemon: Option<Child>,
}

impl Gateway {
    pub fn new() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("andon-it-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self { folder, data: None, daemon: None }
    }

    /// Returns a gateway with `pump-1` on Modbus TCP, with this profile.
    pub fn pump(port: u16, profile: &str) -> Self {
        let link =
            format!("[[link]]\nname = \"plc\"\nkind = \"modbus-tcp\"\naddress = \"127.0.0.1:{port}\"\n");
        let pump = "[[equipment]]\nid = \"pump-1\"\nprofile = \"pump\"\nlink = \"plc\"\n";
        Self::new().profile("pump", profile).site(&(link + pump))
    }

    /// Sets another data directory.
    pub fn with_data(mut self, data: &Path) -> Self {
        self.data = Some(data.to_owned());
        self
    }

    pub fn file(self, name: &str, text: &str) -> Self {
        let path = self.folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    pub fn profile(self, name: &str, text: &str) -> Self {
        let head = format!("[device]\nvendor = \"Test\"\nmodel = \"{name}\"\nkind = \"test\"\n{text}");
        self.file(&format!("device-profiles/{name}.toml"), &head)
    }

    pub fn site(self, text: &str) -> Self {
        self.file("andon.toml", &format!("[gateway]\nname = \"test\"\n{text}"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub fn data(&self) -> PathBuf {
        self.data.clone().unwrap_or_else(|| self.folder.join("andon-data"))
    }

    pub fn command(&self, args: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_andon"));
        command
            .current_dir(&self.folder)
            .env_remove("ANDON_CONFIG")
            .env_remove("ANDON_LOG")
            .env("ANDON_DATA", self.data())
            .env("ANDON_PERSON", "eva")
            .env("COLUMNS", "100")
            .args(split(args));
        command
    }

    /// Runs a command. Words in single quotes are one argument.
    pub fn run(&self, args: &str) -> Run {
        Run { args: args.to_owned(), output: self.command(args).output().unwrap() }
    }

    /// Starts the daemon and waits until it is ready.
    #[track_caller]
    pub fn start(&mut self) -> &mut Self {
        self.start_with(&[])
    }

    /// Starts the daemon through another program, for example a shell that first sets a limit.
    #[track_caller]
    pub fn start_with(&mut self, by: &[&str]) -> &mut Self {
        let log = std::fs::File::options().create(true).append(true).open(self.path("daemon.log")).unwrap();
        let before = self.log().matches(" ready: ").count();
        let mut command = self.command("daemon");
        if let [program, args @ ..] = by {
            let inner = std::mem::replace(&mut command, Command::new(program));
            command.current_dir(&self.folder).args(args).arg(inner.get_program()).args(inner.get_args());
            for (name, value) in inner.get_envs() {
                match value {
                    Some(value) => command.env(name, value),
                    None => command.env_remove(name),
                };
            }
        }
        let child = command.stdin(Stdio::null()).stderr(log).spawn().unwrap();
        self.daemon = Some(child);
        eventually("the daemon is ready", || {
            let log = self.log();
            if log.matches(" ready: ").count() > before { Ok(()) } else { Err(log) }
        });
        self
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("daemon.log")).unwrap_or_default()
    }

    pub fn pid(&self) -> u32 {
        self.daemon.as_ref().unwrap().id()
    }

    /// Kills the daemon with SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.daemon.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Stops the daemon normally.
    #[track_caller]
    pub fn stop(&mut self) {
        let mut child = self.daemon.take().unwrap();
        let told = Command::new("kill").arg(child.id().to_string()).status().unwrap();
        assert!(told.success());
        let status = child.wait().unwrap();
        assert!(status.success(), "{}", self.log());
    }

    /// Repeats a command until its JSON output meets the condition `fits`.
    #[track_caller]
    pub fn until(&self, args: &str, fits: impl Fn(&Value) -> bool) -> Value {
        eventually(args, || {
            let run = self.run(args);
            if run.output.status.code() == Some(5) {
                return Err("unreachable".to_owned());
            }
            let json = run.json();
            if fits(&json) { Ok(json) } else { Err(json.to_string()) }
        })
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("the gateway's log:\n{}", self.log());
        } else {
            std::fs::remove_dir_all(&self.folder).unwrap();
        }
    }
}

fn split(args: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for (index, part) in args.split('\'').enumerate() {
        if index % 2 == 1 {
            out.push(part.to_owned());
        } else {
            out.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    out
}

/// The result of a command.
pub struct Run {
    args: String,
    pub output: Output,
}

impl Run {
    pub fn stdout(&self) -> String {
        String::from_utf8(self.output.stdout.clone()).unwrap()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8(self.output.stderr.clone()).unwrap()
    }

    #[track_caller]
    pub fn exits(&self, code: i32) -> &Self {
        let all = format!("andon {}\n{}{}", self.args, self.stdout(), self.stderr());
        assert_eq!(self.output.status.code(), Some(code), "{all}");
        self
    }

    #[track_caller]
    pub fn success(&self) -> &Self {
        self.exits(0)
    }

    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        let all = format!("{}{}", self.stdout(), self.stderr());
        assert!(all.contains(text), "andon {}: no \"{text}\" in\n{all}", self.args);
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        self.success();
        serde_json::from_str(&self.stdout()).expect("JSON")
    }
}
