//! andon's own simulator, as a server for the tests.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use super::Gateway;

/// A running `andon sim plant.toml`.
pub struct Sim(Child);

impl Sim {
    pub fn start(gateway: &Gateway) -> Self {
        let mut child = gateway.command("sim plant.toml").stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|l| l.unwrap().starts_with("ready")), "the simulator is ready");
        Self(child)
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}
