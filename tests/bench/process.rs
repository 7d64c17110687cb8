//! Starts and stops the processes that a benchmark measures, and reads their CPU time and memory from the kernel.
#![allow(dead_code, clippy::allow_attributes, reason = "most benchmarks use only a part of this module")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A directory for one benchmark. It is deleted at the end of the benchmark.
pub struct Workplace {
    folder: PathBuf,
}

impl Workplace {
    pub fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("andon-bench-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self { folder }
    }

    pub fn path(&self) -> &Path {
        &self.folder
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn andon(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_andon"));
        command.current_dir(&self.folder).args(args);
        for name in ["ANDON_CONFIG", "ANDON_DATA", "ANDON_PERSON"] {
            command.env_remove(name);
        }
        command
    }

    pub fn json(&self, args: &[&str]) -> serde_json::Value {
        let output = self.andon(args).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).unwrap();
    }
}

/// A process that ends when this value is dropped.
pub struct Running(Child);

impl Running {
    pub fn andon(place: &Workplace, args: &[&str]) -> Self {
        let mut command = place.andon(args);
        command.stdout(Stdio::null());
        Self::start(command)
    }

    pub fn start(mut command: Command) -> Self {
        Self(command.spawn().unwrap())
    }

    pub fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let status = Command::new("kill").arg(self.0.id().to_string()).status().unwrap();
        assert!(status.success());
        self.0.wait().unwrap();
    }
}

/// Returns the CPU time of all threads of a process, exact to the nanosecond (the scheduler's `schedstat`).
pub fn cpu(pid: u32) -> Duration {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let nanos = tasks.map(|t| {
        let text = std::fs::read_to_string(t.unwrap().path().join("schedstat")).unwrap();
        text.split_whitespace().next().unwrap().parse::<u64>().unwrap()
    });
    Duration::from_nanos(nanos.sum())
}

/// Returns the resident memory of a process, in MiB.
pub fn memory_mib(pid: u32) -> f64 {
    status_mib(pid, "VmRSS")
}

/// Returns the highest resident memory of a process so far, in MiB.
pub fn peak_mib(pid: u32) -> f64 {
    status_mib(pid, "VmHWM")
}

fn status_mib(pid: u32, name: &str) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find(|l| l.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

/// Waits while the measured process works.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures over time")]
pub fn rest(time: Duration) {
    std::thread::sleep(time);
}
