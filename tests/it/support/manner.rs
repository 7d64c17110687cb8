//! A Modbus TCP server that treats each request as the test wants. The test sets the registers; their first value is 100.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The server's reaction to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manner {
    /// The server answers normally.
    Answer,
    /// The server answers with this unit id or transaction id.
    AnswerAs { unit: Option<u8>, transaction: Option<u16> },
    /// The server answers, and then closes the connection.
    AnswerAndClose,
    /// The server does not answer.
    Silence,
    /// The server closes the connection and does not answer.
    Close,
    /// The server answers with this exception.
    Refuse(u8),
    /// The header of the response announces this many bytes more than the server sends.
    Announce(u16),
}

/// A request: its unit, its function, and its number since the start of the server.
pub struct Asked {
    pub unit: u8,
    pub function: u8,
    pub number: u64,
}

type Rule = dyn Fn(&Asked) -> Manner + Send + Sync;

struct Shared {
    rule: Box<Rule>,
    idle: Option<Duration>,
    registers: Mutex<BTreeMap<(u8, u16), u16>>,
    asked: Mutex<u64>,
}

#[derive(Clone)]
pub struct MannerServer {
    pub port: u16,
    shared: Arc<Shared>,
}

impl MannerServer {
    pub fn start(rule: impl Fn(&Asked) -> Manner + Send + Sync + 'static) -> Self {
        Self::start_with(rule, None)
    }

    /// Starts a server that closes a connection after this time without a request.
    pub fn closing_when_idle(idle: Duration) -> Self {
        Self::start_with(|_| Manner::Answer, Some(idle))
    }

    fn start_with(rule: impl Fn(&Asked) -> Manner + Send + Sync + 'static, idle: Option<Duration>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            rule: Box::new(rule),
            idle,
            registers: Mutex::default(),
            asked: Mutex::default(),
        });
        let server = Self { port, shared: shared.clone() };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = shared.clone();
                std::thread::spawn(move || converse(stream, &shared));
            }
        });
        server
    }

    pub fn set(&self, unit: u8, register: u16, value: u16) {
        self.shared.registers.lock().unwrap().insert((unit, register), value);
    }
}

/// Serves one connection until it ends. Errors of the connection are ignored.
fn converse(mut stream: TcpStream, shared: &Shared) -> Option<()> {
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(shared.idle).unwrap();
    loop {
        let mut header = [0; 7];
        stream.read_exact(&mut header).ok()?;
        let length = usize::from(u16::from_be_bytes([header[4], header[5]]));
        let mut pdu = vec![0; length - 1];
        stream.read_exact(&mut pdu).ok()?;
        let number = {
            let mut asked = shared.asked.lock().unwrap();
            *asked += 1;
            *asked
        };
        let word = |at: usize| u16::from_be_bytes([pdu[at], *pdu.get(at + 1).unwrap_or(&0)]);
        let (unit, function, start) = (header[6], pdu[0], word(1));
        let manner = (shared.rule)(&Asked { unit, function, number });
        let mut answer = match (&manner, function) {
            (Manner::Refuse(code), _) => vec![function | 0x80, *code],
            (_, 3 | 4) => {
                let registers = shared.registers.lock().unwrap();
                let values = (start..start + word(3)).map(|r| *registers.get(&(unit, r)).unwrap_or(&100));
                let bytes: Vec<u8> = values.flat_map(u16::to_be_bytes).collect();
                [vec![function, u8::try_from(bytes.len()).unwrap()], bytes].concat()
            }
            _ => vec![function | 0x80, 1],
        };
        let mut length = u16::try_from(answer.len() + 1).unwrap();
        match manner {
            Manner::Silence => continue,
            Manner::Close => return None,
            Manner::Announce(more) => length += more,
            Manner::AnswerAs { unit, transaction } => {
                header[6] = unit.unwrap_or(header[6]);
                if let Some(id) = transaction {
                    header[..2].copy_from_slice(&id.to_be_bytes());
                }
            }
            Manner::Answer | Manner::AnswerAndClose | Manner::Refuse(_) => {}
        }
        header[4..6].copy_from_slice(&length.to_be_bytes());
        let mut frame = header.to_vec();
        frame.append(&mut answer);
        stream.write_all(&frame).ok()?;
        if manner == Manner::AnswerAndClose {
            return None;
        }
    }
}
