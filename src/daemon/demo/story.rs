//! The narrator: follows the ticket through the API, like any client, and prints the next command.

use std::path::Path;
use std::time::Duration;

use axum::http::Method;

use super::{DemoError, DemoSetup};
use crate::ambient::Clock;
use crate::client::Client;
use crate::sim::Serving;
use crate::ticket::{Answer, Condition, TicketState, TicketVerb, UsedPart};
use crate::v1::{StatusV1, TicketRowV1, TicketV1};
use crate::words::StepId;

const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The time of normal operation before the drive trips.
const CALM: Duration = Duration::from_secs(5);
/// The time for the steps after the start of work. After this time the drive is reset in any case.
const PATIENCE: Duration = Duration::from_secs(120);

pub(super) struct Story<'a> {
    setup: &'a DemoSetup,
    config: &'a Path,
    socket: &'a Path,
    plant: &'a Serving,
    clock: Clock,
    print: &'a mut dyn FnMut(&str),
    /// The address of the plug's broker; `None` without a plug.
    pub broker: Option<String>,
    is_reset: bool,
    typed: usize,
}

impl<'a> Story<'a> {
    pub(super) fn new(
        setup: &'a DemoSetup,
        config: &'a Path,
        socket: &'a Path,
        plant: &'a Serving,
        clock: Clock,
        print: &'a mut dyn FnMut(&str),
    ) -> Self {
        Self { setup, config, socket, plant, clock, print, broker: None, is_reset: false, typed: 0 }
    }

    fn say(&mut self, text: &str) {
        (self.print)(text);
    }

    fn command(&self, rest: &str) -> String {
        format!("    {} {rest}\n", self.setup.program)
    }

    /// Tells the story. It ends only in auto mode.
    pub(super) async fn tell(&mut self) -> Result<(), DemoError> {
        self.say("andon demo: four simulated machines, a daemon that reads them, and a fault.\n");
        for (name, place) in &self.plant.places {
            (self.print)(&format!("  line {name:<5} {place}\n"));
        }
        match self.broker.clone() {
            Some(place) => self.say(&format!("  a metering plug on the broker at {place}\n")),
            None => self.say("  (with mosquitto installed, or --broker mqtt://HOST:PORT, a metering plug over MQTT as well)\n"),
        }
        let mut client = self.connect().await?;
        let status = self.all_online(&mut client).await?;
        self.say("\nThe daemon reads all of it:\n");
        for e in &status.equipment {
            let how = e
                .answer_ms_p50
                .map_or_else(|| "reports by itself".to_owned(), |ms| format!("answers in {ms:.1} ms"));
            (self.print)(&format!("  {:<8} {:<20} {:<8} {how}\n", e.id, e.name, e.state));
        }
        self.say(&format!("\nIn {} seconds the drive of press-7 will trip.\n", CALM.as_secs()));
        tokio::time::sleep(CALM).await;
        let tripped = self.clock.now();
        self.plant.enter("press-7", "tripped");
        self.say(&format!("\n{}  The drive of press-7 has tripped.\n", tripped.wall));
        let row = self.opened(&mut client).await?;
        let after = self.clock.now().mono.since(tripped.mono);
        self.say(&format!(
            "Ticket {} is open {:.1} s later: {}, {} on {}.\n  {}\n",
            row.id,
            after.as_secs_f64(),
            row.severity.word(),
            row.subject(),
            row.equipment,
            row.summary
        ));
        self.invite(row.id);
        self.follow(&mut client, row.id).await
    }

    async fn connect(&self) -> Result<Client, DemoError> {
        loop {
            if let Ok(client) = Client::connect(self.socket).await {
                return Ok(client);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn all_online(&self, client: &mut Client) -> Result<StatusV1, DemoError> {
        loop {
            let status: StatusV1 =
                client.send(Method::GET, "/v1/status", None, None).await.map_err(DemoError::of)?;
            if status.equipment.iter().all(|e| e.state == "online") {
                return Ok(status);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn opened(&self, client: &mut Client) -> Result<TicketRowV1, DemoError> {
        loop {
            let rows: Vec<TicketRowV1> = client
                .send(Method::GET, "/v1/tickets?equipment=press-7", None, None)
                .await
                .map_err(DemoError::of)?;
            if let Some(row) = rows.into_iter().next() {
                return Ok(row);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn invite(&mut self, number: u64) {
        if self.setup.auto {
            self.say("\nThe demo now does the work of a technician:\n");
            return;
        }
        let config = self.config.display();
        let text = format!(
            "\nWork on the ticket from a second terminal, in this directory:\n\n    export ANDON_CONFIG={config}\n{}{}\n",
            self.command(&format!("ticket show {number}    # its meaning, the dangers, what to check")),
            self.command(&format!("start {number}          # you work on it")),
        );
        self.say(&text);
        self.say("The demo continues when you do. Ctrl-C ends it.\n");
    }

    async fn follow(&mut self, client: &mut Client, number: u64) -> Result<(), DemoError> {
        let path = format!("/v1/tickets/{number}");
        let mut told = None;
        let mut started = None;
        loop {
            let t: TicketV1 = client.send(Method::GET, &path, None, None).await.map_err(DemoError::of)?;
            let seen = (t.row.state, t.row.condition, t.steps.iter().filter(|s| s.answer.is_some()).count());
            let is_walked = t.steps.iter().all(|s| !s.is_next);
            if told != Some(seen) {
                told = Some(seen);
                self.narrate(&t, is_walked);
            }
            if t.row.state == TicketState::InProgress && !self.is_reset {
                let since = *started.get_or_insert(self.clock.now().mono);
                let is_late = self.clock.now().mono.since(since) > PATIENCE;
                if is_walked || is_late {
                    self.reset();
                }
            }
            if self.setup.auto && self.act(client, &t, is_walked).await? {
                return Ok(());
            }
            tokio::time::sleep(LOOK_EVERY * 2).await;
        }
    }

    fn reset(&mut self) {
        self.is_reset = true;
        self.plant.enter("press-7", "running");
        self.say("\nYou have replaced the brake resistor and reset the drive: it runs again.\n");
    }

    fn narrate(&mut self, t: &TicketV1, is_walked: bool) {
        if self.setup.auto {
            return;
        }
        let n = t.row.id;
        let text = match (t.row.state, t.row.condition) {
            (TicketState::Acknowledged, _) => {
                format!("\nThe ticket is acknowledged. Next:\n{}", self.command(&format!("start {n}")))
            }
            (TicketState::InProgress, Some(Condition::Active)) if !is_walked => {
                let step = t.steps.iter().find(|s| s.is_next);
                let (id, question, answer) = step.map_or(("", "", ""), |s| {
                    let answer = if s.checked_by_gateway { "" } else { " yes|no" };
                    (s.id.as_str(), s.text.as_str(), answer)
                });
                format!(
                    "\nThe next step: {question}\n{}",
                    self.command(&format!("ticket step {n} {id}{answer}"))
                )
            }
            (TicketState::InProgress, Some(Condition::Returned)) => {
                let fix = format!(
                    "fix {n} --cause 'brake resistor open' --action 'replaced brake resistor' --part BRAKE-RES:1 --minutes 25"
                );
                format!(
                    "\nThe fault has cleared. The ticket stays open until you record what you did:\n{}",
                    self.command(&fix)
                )
            }
            (TicketState::Fixed, _) => {
                format!(
                    "\nThe fix is recorded. Close the ticket to verify it:\n{}",
                    self.command(&format!("close {n}"))
                )
            }
            (TicketState::Closed, _) => format!(
                "\nThe ticket is closed. If the fault comes back within seven days, andon reopens it. See the records:\n{}{}{}",
                self.command("history --equipment press-7"),
                self.command("audit verify"),
                self.command("why press-7 dc_bus_voltage"),
            ),
            _ => return,
        };
        self.say(&text);
    }

    /// Does the next step in auto mode. Returns true at the end of the story.
    async fn act(&mut self, client: &mut Client, t: &TicketV1, is_walked: bool) -> Result<bool, DemoError> {
        let verb = match (t.row.state, t.row.condition) {
            (TicketState::Open, _) => TicketVerb::Start,
            (TicketState::InProgress, _) if !is_walked => {
                let next = t.steps.iter().find(|s| s.is_next).and_then(|s| StepId::parse(&s.id).ok());
                let Some(step) = next else { return Ok(false) };
                TicketVerb::Step { step, answer: Some(Answer::No), note: None }
            }
            (TicketState::InProgress, Some(Condition::Returned)) => TicketVerb::Fix {
                cause: t.finding.clone().unwrap_or_else(|| "brake resistor open".to_owned()),
                action: "replaced brake resistor".to_owned(),
                parts: vec![UsedPart { id: "BRAKE-RES".to_owned(), quantity: 1 }],
                minutes: Some(25),
                while_active: None,
            },
            (TicketState::Fixed, Some(Condition::Returned)) => TicketVerb::Close { note: None },
            (TicketState::Closed, _) => return Ok(true),
            _ => return Ok(false),
        };
        self.typed += 1;
        let body = serde_json::to_value(&verb).map_err(DemoError::of)?;
        let path = format!("/v1/tickets/{}", t.row.id);
        let done: TicketV1 = client
            .send(Method::POST, &path, Some("demo technician"), Some(&body))
            .await
            .map_err(DemoError::of)?;
        let last = done.log.last().map_or("", |e| e.text.as_str());
        self.say(&format!("  {}. {last}\n", self.typed));
        Ok(false)
    }
}
