//! A guarded Modbus client over a socket or port.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_modbus::client::{Client, Context, rtu, tcp};
use tokio_modbus::prelude::{Request, Response, Slave, SlaveContext};

use super::fault::WireFault;
use super::guard::{Framing, Guard};
use super::plan::LineTiming;
use super::schedule::{Ask, Outcome};
use crate::limits;
use crate::link::pause::pause;
use crate::link::wire::{Stream, connect, open_port};
use crate::profile::Area;
use crate::site::LinkKind;

/// An open connection to a bus.
pub(super) struct Wire {
    guard: Guard,
    context: Context,
    framing: Framing,
    timing: LineTiming,
    doubles: Doubles,
}

/// Whether answers that equal the one before are worth waiting for their double.
#[derive(Debug, Default)]
struct Doubles {
    seen: bool,
    harmless: u32,
}

const HARMLESS_ENOUGH: u32 = 50;

impl Wire {
    /// Opens what the link names; also what should be known of that, as a sentence.
    pub(super) async fn open(kind: &LinkKind) -> Result<(Self, Option<String>), String> {
        let timing = LineTiming::of(kind);
        match kind {
            LinkKind::ModbusTcp { address } => {
                Ok((Self::new(connect(address).await?, Framing::Tcp, timing, true), None))
            }
            LinkKind::ModbusRtuOverTcp { address } => {
                Ok((Self::new(connect(address).await?, Framing::Rtu, timing, true), None))
            }
            LinkKind::ModbusRtu(line) => {
                let (io, remark) = open_port(&line.port, line.baud, line.parity, line.stop_bits)?;
                Ok((Self::new(io, Framing::Rtu, timing, false), remark))
            }
            LinkKind::Serial(_) | LinkKind::Mqtt(_) => Err("this link is no Modbus".to_owned()),
        }
    }

    fn new(io: Box<dyn Stream>, framing: Framing, timing: LineTiming, flush: bool) -> Self {
        let guard = Guard::new(io, framing, flush);
        Self { context: client(&guard, framing), guard, framing, timing, doubles: Doubles::default() }
    }

    /// Frames dropped and echoes stripped since opening.
    pub(super) fn dropped(&self) -> u64 {
        self.guard.dropped()
    }

    /// Sends a request and waits for its answer.
    pub(super) async fn ask(&mut self, ask: &Ask) -> Outcome {
        match poll_fn(|cx| Poll::Ready(self.guard.drain(cx))).await {
            Ok(stray) if stray > 0 && self.framing == Framing::Rtu => self.doubles.seen = true,
            Ok(_) => {}
            Err(fault) => return Outcome::Failed(fault),
        }
        self.context.set_slave(Slave(ask.unit));
        let request = match ask.area {
            Area::Coil => Request::ReadCoils(ask.start, ask.count),
            Area::Discrete => Request::ReadDiscreteInputs(ask.start, ask.count),
            Area::Input => Request::ReadInputRegisters(ask.start, ask.count),
            Area::Holding => Request::ReadHoldingRegisters(ask.start, ask.count),
        };
        let limit = ask.timeout + self.timing.characters(ask.area, ask.count);
        let outcome = match timeout(limit, self.context.call(request)).await {
            Ok(Ok(Ok(response))) => match words(response, ask.count) {
                Some(words) => Outcome::Answered(words),
                None => Outcome::Failed(WireFault::Foreign("another kind of answer".to_owned())),
            },
            Ok(Ok(Err(exception))) => return self.silence_after(Outcome::Exception(exception.into())).await,
            Ok(Err(error)) => Outcome::Failed(self.named(&error)),
            Err(_elapsed) => Outcome::Failed(self.guard.fault()),
        };
        match outcome {
            Outcome::Answered(words) => {
                let outcome = self.await_double(words).await;
                self.silence_after(outcome).await
            }
            failed => {
                // The client may have kept bytes of the failed call: a new one over the same stream has none.
                self.context = client(&self.guard, self.framing);
                if self.framing == Framing::Rtu {
                    self.quiet().await;
                }
                failed
            }
        }
    }

    fn named(&self, error: &tokio_modbus::Error) -> WireFault {
        match (self.guard.fault(), error) {
            (WireFault::Timeout, tokio_modbus::Error::Transport(e))
                if e.kind() == std::io::ErrorKind::BrokenPipe =>
            {
                WireFault::Closed
            }
            (WireFault::Timeout, tokio_modbus::Error::Transport(e)) => WireFault::Io(e.to_string()),
            (fault, _) => fault,
        }
    }

    /// An answer equal to the one before, to another request, may be that one come twice: wait for a second.
    async fn await_double(&mut self, words: Vec<u16>) -> Outcome {
        if !self.guard.is_suspicious() || (!self.doubles.seen && self.doubles.harmless > HARMLESS_ENOUGH) {
            return Outcome::Answered(words);
        }
        sleep(limits::QUIET_AFTER_TIMEOUT).await;
        match poll_fn(|cx| Poll::Ready(self.guard.drain(cx))).await {
            Ok(0) => {
                self.doubles.harmless += 1;
                Outcome::Answered(words)
            }
            Ok(_) => {
                self.doubles.seen = true;
                Outcome::Failed(WireFault::Doubled)
            }
            Err(fault) => Outcome::Failed(fault),
        }
    }

    /// The silence that ends a frame, before anything else is sent.
    async fn silence_after(&mut self, outcome: Outcome) -> Outcome {
        pause(self.timing.silence()).await;
        outcome
    }

    /// Waits until nothing has come for a while: a late answer must not collide with the next request.
    async fn quiet(&mut self) {
        let mut waited = Duration::ZERO;
        while waited < limits::QUIET_WAIT_MAX {
            sleep(limits::QUIET_AFTER_TIMEOUT).await;
            waited += limits::QUIET_AFTER_TIMEOUT;
            match poll_fn(|cx| Poll::Ready(self.guard.drain(cx))).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
    }
}

fn client(guard: &Guard, framing: Framing) -> Context {
    match framing {
        Framing::Tcp => tcp::attach_slave(guard.clone(), Slave(0)),
        Framing::Rtu => rtu::attach_slave(guard.clone(), Slave(0)),
    }
}

fn words(response: Response, count: u16) -> Option<Vec<u16>> {
    let count = usize::from(count);
    let words: Vec<u16> = match response {
        Response::ReadCoils(bits) | Response::ReadDiscreteInputs(bits) => {
            bits.into_iter().map(u16::from).collect()
        }
        Response::ReadInputRegisters(words) | Response::ReadHoldingRegisters(words) => words,
        _ => return None,
    };
    (words.len() >= count).then(|| words.into_iter().take(count).collect())
}
