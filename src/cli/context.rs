//! [`Context`]: the global arguments, the output, the site and the connection to the gateway, for every command.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;

use axum::http::Method;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::CliError;
use super::options::Global;
use super::program::Program;
use super::render::{Sheet, read_for_screen, screen};
use super::when::{Parameter, Period, local, local_times};
use crate::ambient;
use crate::client::Client;
use crate::limits;
use crate::site::Site;
use crate::source::{Diagnostics, Level};
use crate::words::{Outcome, Wall};

/// The command that is running.
pub struct Context<'a> {
    /// The global arguments.
    pub global: Global,
    /// The program behind the commands.
    pub program: &'a Program,
    client: Option<Client>,
    /// The gateway's time zone; the zone of this computer until the site is loaded.
    zone: TimeZone,
}

impl<'a> Context<'a> {
    pub(super) fn new(global: Global, program: &'a Program) -> Self {
        Self { global, program, client: None, zone: TimeZone::system() }
    }

    /// Returns the path of the configuration: the given path, else `./andon.toml`, else `/etc/andon/andon.toml`.
    pub fn config(&self) -> PathBuf {
        if let Some(given) = &self.global.config {
            return given.clone();
        }
        let here = PathBuf::from("andon.toml");
        let system = PathBuf::from("/etc/andon/andon.toml");
        if !here.exists() && system.exists() { system } else { here }
    }

    /// Loads the site, and prints its warnings to standard error.
    pub fn site(&mut self) -> Result<Arc<Site>, CliError> {
        let config = self.config();
        let (site, diagnostics) = self.program.site(&config).map_err(|e| {
            CliError::usage(format!(
                "{}: {e}; give the configuration with --config FILE, or try: andon demo",
                config.display()
            ))
        })?;
        let Some(site) = site else { return Err(CliError::Files(diagnostics)) };
        self.zone = site.zone.clone();
        let warnings: Vec<Diagnostics> =
            diagnostics.into_iter().filter(|d| d.list.iter().any(|x| x.level == Level::Warning)).collect();
        super::render::diagnostics(&warnings, &mut anstream::stderr().lock())?;
        Ok(site)
    }

    async fn client(&mut self) -> Result<&mut Client, CliError> {
        if self.client.is_none() {
            let config = self.config();
            let given = self.global.data.clone();
            let client = match self.site() {
                Ok(site) => {
                    let data = self.program.data(&site, &config, given.as_deref());
                    let client = self.program.client(site, &data).await;
                    client.map_err(|(outcome, text)| CliError::Other(outcome, text))?
                }
                // The file has an error now, but a daemon may still run with its earlier content.
                Err(error) => self.program.running(&config, given.as_deref()).await.ok_or(error)?,
            };
            self.client = Some(client);
        }
        self.client.as_mut().ok_or_else(|| CliError::Other(Outcome::OwnFailure, "no client".to_owned()))
    }

    /// Reads `--since` and `--until` in the gateway's time zone, and returns them as parameters of a query.
    pub fn period(&mut self, period: &Period) -> Result<[Parameter; 2], CliError> {
        let _site = self.site()?;
        let now = ambient::Clock::start().now().wall;
        period.query(self.zone(), now).map_err(CliError::usage)
    }

    /// Sends a GET request to the gateway.
    pub async fn get<T: DeserializeOwned>(&mut self, path: &str) -> Result<T, CliError> {
        self.ask(Method::GET, path, None, None).await
    }

    /// Sends a request. If the answer takes long, shows a note on the terminal. Texts of an answer for a screen are made
    /// safe for the screen; an answer for `--json` stays exact.
    async fn ask<T: DeserializeOwned>(
        &mut self,
        method: Method,
        path: &str,
        by: Option<&str>,
        body: Option<&serde_json::Value>,
    ) -> Result<T, CliError> {
        let is_exact = self.global.json;
        let client = self.client().await?;
        let asked = client.ask(method, path, by, body);
        tokio::pin!(asked);
        let answer = match tokio::time::timeout(limits::CLIENT_QUIET_MAX, &mut asked).await {
            Ok(answer) => answer,
            Err(_) => {
                super::render::progress("waiting for the gateway ...");
                let answer = asked.await;
                super::render::progress("");
                answer
            }
        };
        let text = answer?;
        let read = if is_exact { serde_json::from_str(&text) } else { read_for_screen(&text) };
        read.map_err(|e| Client::unreadable(&e).into())
    }

    /// Sends a POST request to the gateway: a change.
    pub async fn post<T: DeserializeOwned>(
        &mut self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, CliError> {
        // Without a name, the gateway uses the account that sends the request.
        let person = self.global.person.clone();
        let body = serde_json::to_value(body).map_err(|e| CliError::usage(e.to_string()))?;
        self.ask(Method::POST, path, person.as_deref(), Some(&body)).await
    }

    /// Returns the name of the person who acts.
    pub fn person(&self) -> String {
        self.global.person.clone().unwrap_or_else(ambient::user)
    }

    /// Formats a time in the gateway's time zone.
    pub fn time(&self, at: Wall) -> String {
        local(at, &self.zone)
    }

    /// Converts the times in a sentence of the gateway to the gateway's time zone.
    pub fn sentence(&self, text: &str) -> String {
        local_times(text, &self.zone)
    }

    /// Returns the gateway's time zone.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Prints a text to standard output.
    pub fn print(&self, text: &str) -> Result<(), CliError> {
        Ok(anstream::stdout().lock().write_all(screen(text).as_bytes())?)
    }

    /// Prints a text for another program, unchanged. On a terminal, the text is made safe like any other.
    pub fn print_exact(&self, text: &str) -> Result<(), CliError> {
        if io::stdout().is_terminal() {
            return self.print(text);
        }
        Ok(io::stdout().lock().write_all(text.as_bytes())?)
    }

    /// Prints a remark to standard error.
    pub fn remark(&self, text: &str) -> Result<(), CliError> {
        Ok(writeln!(anstream::stderr().lock(), "{}", screen(text))?)
    }

    /// Clears the terminal, so that the next output replaces the old output.
    pub fn clear(&self) -> Result<(), CliError> {
        if io::stdout().is_terminal() {
            io::stdout().lock().write_all(b"\x1b[2J\x1b[H")?;
        }
        Ok(())
    }

    /// Prints a value as JSON.
    pub fn json(&self, value: &impl Serialize) -> Result<(), CliError> {
        let text =
            super::render::json(value).map_err(|e| CliError::Other(Outcome::OwnFailure, e.to_string()))?;
        Ok(writeln!(io::stdout().lock(), "{text}")?)
    }

    /// Prints a list as JSON, CSV or a table. `empty` is the text for an empty table.
    pub fn list(&self, value: &impl Serialize, sheet: &Sheet, empty: &str) -> Result<(), CliError> {
        if self.global.json {
            return self.json(value);
        }
        if self.global.is_csv() {
            return self.print(&sheet.csv());
        }
        if sheet.is_empty() {
            return self.print(&format!("{empty}\n"));
        }
        self.print(&sheet.table())
    }
}
