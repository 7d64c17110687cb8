//! A Modbus client over a socket or port, with the guard in between.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_modbus::client::{Client, Context, rtu, tcp};
use tokio_modbus::prelude::{ReadCode, Request, Response, Slave, SlaveContext};

use super::fault::WireFault;
use super::guard::{Framing, Guard};
use super::plan::LineTiming;
use super::schedule::{Ask, Outcome};
use crate::limits;
use crate::link::pause::pause;
use crate::link::wire::{Stream, connect, open_port};
use crate::profile::{Accept, Area};
use crate::site::LinkKind;

/// An open connection to a bus.
pub(super) struct ModbusConnection {
    guard: Guard,
    context: Context,
    framing: Framing,
    timing: LineTiming,
    duplicates: DuplicateCheck,
    /// The number of dropped frames that [`ModbusConnection::dropped`] has already returned.
    reported: u64,
    /// The time spent after the answer to the last request (see [`ModbusConnection::waited`]).
    waited: Duration,
    /// True if an answer has arrived through this connection.
    has_served: bool,
    /// True if bytes arrived that no request waited for.
    heard_late: bool,
}

/// A write request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WriteRequest {
    /// The Modbus unit id.
    pub unit: u8,
    /// The Modbus table: `Holding` or `Coil`.
    pub area: Area,
    /// The number of the first register or coil.
    pub start: u16,
    /// The registers to write; a coil as 0 or 1.
    pub words: Vec<u16>,
    /// Use functions 15 and 16 also for a single coil or register.
    pub multiple: bool,
    /// The time that the device has for an answer.
    pub timeout: Duration,
}

/// Decides whether to ask again after a response that is identical to the previous one.
///
/// Such a response is often a constant value and sometimes a duplicate. `seen` is true once a duplicate was found;
/// `harmless` counts the responses that the second request confirmed. After [`HARMLESS_ENOUGH`] of them without a
/// duplicate, andon does not ask again on this connection.
#[derive(Debug, Default)]
struct DuplicateCheck {
    seen: bool,
    harmless: u32,
}

const HARMLESS_ENOUGH: u32 = 50;

impl ModbusConnection {
    /// Opens the connection of a link. Also returns a remark about it for people, or `None`.
    pub(super) async fn open(
        kind: &LinkKind,
        accept: Accept,
        tapped: impl Fn(Box<dyn Stream>) -> Box<dyn Stream>,
    ) -> Result<(Self, Option<String>), String> {
        let timing = LineTiming::of(kind);
        match kind {
            LinkKind::ModbusTcp { address } => {
                Ok((Self::new(tapped(connect(address).await?), (Framing::Tcp, accept), timing, true), None))
            }
            LinkKind::ModbusRtuOverTcp { address } => {
                Ok((Self::new(tapped(connect(address).await?), (Framing::Rtu, accept), timing, true), None))
            }
            LinkKind::ModbusRtu(line) => {
                let (io, remark) = open_port(&line.port, line.baud, line.character)?;
                Ok((Self::new(tapped(io), (Framing::Rtu, accept), timing, false), remark))
            }
            LinkKind::ModbusAscii(line) => {
                let (io, remark) = open_port(&line.port, line.baud, line.character)?;
                Ok((Self::new(tapped(io), (Framing::Ascii, accept), timing, false), remark))
            }
            LinkKind::Serial(_) | LinkKind::Mqtt(_) => Err("this link is not Modbus".to_owned()),
        }
    }

    fn new(
        io: Box<dyn Stream>,
        (framing, accept): (Framing, Accept),
        timing: LineTiming,
        flush: bool,
    ) -> Self {
        let guard = Guard::new(io, framing, flush).accepting(accept);
        Self {
            context: client(&guard, framing),
            guard,
            framing,
            timing,
            duplicates: DuplicateCheck::default(),
            reported: 0,
            waited: Duration::ZERO,
            has_served: false,
            heard_late: false,
        }
    }

    /// True if an answer has arrived through this connection.
    pub(super) fn has_served(&self) -> bool {
        self.has_served
    }

    /// True if bytes arrived that no request waited for, since the last call.
    pub(super) fn heard_late(&mut self) -> bool {
        std::mem::take(&mut self.heard_late)
    }

    /// True if the other side has closed the idle connection.
    pub(super) async fn is_closed(&mut self) -> bool {
        self.drained().await.is_err()
    }

    /// Drops the bytes that have arrived before a request.
    async fn drained(&mut self) -> Result<(), WireFault> {
        let stray = poll_fn(|cx| Poll::Ready(self.guard.drain(cx))).await?;
        if stray > 0 {
            self.heard_late = true;
            self.duplicates.seen |= self.framing != Framing::Tcp;
        }
        Ok(())
    }

    /// The number of frames dropped and echoes removed since the last call.
    pub(super) fn dropped(&mut self) -> u64 {
        let all = self.guard.dropped();
        all - std::mem::replace(&mut self.reported, all)
    }

    /// The time spent after the answer to the last request: the silence after a frame, and the wait for a duplicate.
    /// The line was occupied, but the device had already answered.
    pub(super) fn waited(&self) -> Duration {
        self.waited
    }

    /// Sends a request and waits for its answer.
    pub(super) async fn ask(&mut self, ask: &Ask) -> Outcome {
        self.waited = Duration::ZERO;
        if let Err(fault) = self.drained().await {
            return Outcome::Failed(fault);
        }
        if ask.area == Area::Identification {
            let outcome = self.identified(ask).await;
            return self.silence_after(outcome).await;
        }
        let outcome = match self.read(ask).await {
            Outcome::Answered(words) => self.confirmed(ask, words).await,
            outcome => outcome,
        };
        if let Outcome::Failed(_) = outcome {
            self.after_failure().await;
            return outcome;
        }
        self.silence_after(outcome).await
    }

    /// Reads registers or bits once.
    async fn read(&mut self, ask: &Ask) -> Outcome {
        let request = match ask.area {
            Area::Coil => Request::ReadCoils(ask.start, ask.count),
            Area::Discrete => Request::ReadDiscreteInputs(ask.start, ask.count),
            Area::Input => Request::ReadInputRegisters(ask.start, ask.count),
            Area::Holding | Area::Identification => Request::ReadHoldingRegisters(ask.start, ask.count),
        };
        let limit = ask.timeout + self.timing.characters(ask.area, ask.count);
        match self.call(ask.unit, request, limit).await {
            Ok(Ok(response)) => match words(response, ask.count) {
                Some(words) => Outcome::Answered(words),
                None => Outcome::Failed(WireFault::Foreign("a response of another kind".to_owned())),
            },
            Ok(Err(code)) => Outcome::Exception(code),
            Err(fault) => Outcome::Failed(fault),
        }
    }

    /// Reads one object of the device identification. The text is returned as registers of two characters.
    async fn identified(&mut self, ask: &Ask) -> Outcome {
        let limit = ask.timeout + self.timing.characters(ask.area, ask.count);
        match self.identify(ask.unit, u8::try_from(ask.start).unwrap_or(u8::MAX), limit).await {
            Ok(Ok(objects)) => {
                let found = objects.into_iter().find(|(id, _)| u16::from(*id) == ask.start);
                // A missing object is reported like a register that the device does not have.
                let Some((_, mut text)) = found else { return Outcome::Exception(2) };
                text.resize(usize::from(ask.count) * 2, 0);
                let word = |pair: &[u8]| pair.iter().fold(0_u16, |word, byte| word << 8 | u16::from(*byte));
                Outcome::Answered(text.chunks(2).map(word).collect())
            }
            Ok(Err(code)) => Outcome::Exception(code),
            Err(fault) => {
                self.after_failure().await;
                Outcome::Failed(fault)
            }
        }
    }

    /// Reads the device identification (43/14) up to the object `up_to`. Returns pairs of object id and text.
    pub(super) async fn identify(
        &mut self,
        unit: u8,
        up_to: u8,
        limit: Duration,
    ) -> Result<Result<Vec<(u8, Vec<u8>)>, u8>, WireFault> {
        let code = match up_to {
            0..=2 => ReadCode::Basic,
            3..=6 => ReadCode::Regular,
            _ => ReadCode::Extended,
        };
        let mut objects = Vec::new();
        let mut next = 0;
        for _ in 0..limits::IDENTIFICATION_ANSWERS_MAX {
            poll_fn(|cx| Poll::Ready(self.guard.drain(cx))).await?;
            let request = Request::ReadDeviceIdentification(code, next);
            let answer = match self.call(unit, request, limit).await? {
                Ok(Response::ReadDeviceIdentification(answer)) => answer,
                Ok(_) => return Err(WireFault::Foreign("a response of another kind".to_owned())),
                Err(code) => return Ok(Err(code)),
            };
            objects.extend(answer.device_id_objects.into_iter().map(|o| (o.id, o.value.to_vec())));
            if !answer.more_follows
                || answer.next_object_id <= next
                || objects.iter().any(|(id, _)| *id == up_to)
            {
                return Ok(Ok(objects));
            }
            next = answer.next_object_id;
            pause(self.timing.gap()).await;
        }
        Err(WireFault::Foreign("a device identification without an end".to_owned()))
    }

    /// Writes registers or a coil. The guard passes only the confirmation of exactly this write. Only a read can show
    /// whether the device holds the value.
    pub(super) async fn write(&mut self, write: &WriteRequest) -> Outcome {
        if let Err(fault) = poll_fn(|cx| Poll::Ready(self.guard.drain(cx))).await {
            return Outcome::Failed(fault);
        }
        let is_on = |w: &u16| *w != 0;
        let request = match (write.area, write.words.as_slice()) {
            (Area::Coil, [one]) if !write.multiple => Request::WriteSingleCoil(write.start, is_on(one)),
            (Area::Coil, words) => {
                Request::WriteMultipleCoils(write.start, words.iter().map(is_on).collect::<Vec<_>>().into())
            }
            (_, [one]) if !write.multiple => Request::WriteSingleRegister(write.start, *one),
            (_, words) => Request::WriteMultipleRegisters(write.start, words.to_vec().into()),
        };
        let count = u16::try_from(write.words.len()).unwrap_or(u16::MAX);
        let limit = write.timeout + self.timing.characters(write.area, count);
        let outcome = match self.call(write.unit, request, limit).await {
            Ok(Ok(_confirmed)) => Outcome::Answered(Vec::new()),
            Ok(Err(code)) => Outcome::Exception(code),
            Err(fault) => {
                self.after_failure().await;
                return Outcome::Failed(fault);
            }
        };
        self.silence_after(outcome).await
    }

    /// Sends one request. Returns its answer, or the code of the exception.
    async fn call(
        &mut self,
        unit: u8,
        request: Request<'static>,
        limit: Duration,
    ) -> Result<Result<Response, u8>, WireFault> {
        self.context.set_slave(Slave(unit));
        match timeout(limit, self.context.call(request)).await {
            Ok(Ok(answer)) => {
                self.has_served = true;
                Ok(answer.map_err(Into::into))
            }
            Ok(Err(error)) => Err(self.named(&error)),
            Err(_elapsed) => Err(self.guard.fault()),
        }
    }

    /// Cleans up after a failed request, so that no rest of its answer is taken for the next one.
    pub(super) async fn after_failure(&mut self) {
        // The client may have kept bytes of the failed request; a new client on the same stream has none.
        self.context = client(&self.guard, self.framing);
        if self.framing != Framing::Tcp {
            self.quiet().await;
        }
    }

    fn named(&self, error: &tokio_modbus::Error) -> WireFault {
        match (self.guard.fault(), error) {
            (WireFault::Timeout, tokio_modbus::Error::Transport(e))
                if e.kind() == std::io::ErrorKind::BrokenPipe =>
            {
                WireFault::Closed
            }
            // The frame was complete, so the stream is in step, whatever the frame contains.
            (WireFault::Timeout, tokio_modbus::Error::Transport(e))
                if e.kind() == std::io::ErrorKind::InvalidData =>
            {
                WireFault::Foreign("a response that cannot be decoded".to_owned())
            }
            (WireFault::Timeout, tokio_modbus::Error::Transport(e)) => WireFault::Io(e.to_string()),
            (fault, _) => fault,
        }
    }

    /// A response that is identical to the previous one, but to another request, may be a duplicate or late. Waits
    /// for a second copy, and then sends the same request again.
    async fn confirmed(&mut self, ask: &Ask, words: Vec<u16>) -> Outcome {
        if !self.guard.is_suspicious()
            || (!self.duplicates.seen && self.duplicates.harmless > HARMLESS_ENOUGH)
        {
            return Outcome::Answered(words);
        }
        let since = tokio::time::Instant::now();
        sleep(limits::QUIET_AFTER_TIMEOUT).await;
        let again = match poll_fn(|cx| Poll::Ready(self.guard.drain(cx))).await {
            Ok(0) => self.read(ask).await,
            Ok(_) => Outcome::Failed(WireFault::Doubled),
            Err(fault) => Outcome::Failed(fault),
        };
        self.waited += since.elapsed();
        match again {
            Outcome::Answered(second) if second == words => {
                self.duplicates.harmless += 1;
                Outcome::Answered(words)
            }
            Outcome::Failed(fault) if fault != WireFault::Doubled => Outcome::Failed(fault),
            Outcome::Answered(_) | Outcome::Exception(_) | Outcome::Failed(_) => {
                self.duplicates.seen = true;
                Outcome::Failed(WireFault::Doubled)
            }
        }
    }

    /// Waits for the silence that ends a frame.
    async fn silence_after(&mut self, outcome: Outcome) -> Outcome {
        pause(self.timing.gap()).await;
        self.waited += self.timing.gap();
        outcome
    }

    /// Waits until no byte has arrived for a while, so that a late answer does not collide with the next request.
    async fn quiet(&mut self) {
        let mut waited = Duration::ZERO;
        while waited < limits::QUIET_WAIT_MAX {
            sleep(limits::QUIET_AFTER_TIMEOUT).await;
            waited += limits::QUIET_AFTER_TIMEOUT;
            match poll_fn(|cx| Poll::Ready(self.guard.drain(cx))).await {
                Ok(0) | Err(_) => return,
                Ok(_) => self.heard_late = true,
            }
        }
    }
}

fn client(guard: &Guard, framing: Framing) -> Context {
    match framing {
        Framing::Tcp => tcp::attach_slave(guard.clone(), Slave(0)),
        Framing::Rtu | Framing::Ascii => rtu::attach_slave(guard.clone(), Slave(0)),
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
