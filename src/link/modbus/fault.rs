//! What can go wrong with a request on a wire.

/// Why a request brought nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireFault {
    /// Nothing came in time.
    #[error("no answer in time")]
    Timeout,
    /// The other side closed the connection.
    #[error("the connection was closed")]
    Closed,
    /// The operating system says.
    #[error("{0}")]
    Io(String),
    /// Bytes came that pass no check.
    #[error("the answer is garbled: {0} bytes with a wrong checksum")]
    Garbled(usize),
    /// A Modbus TCP frame that ends too soon: its header says how long it is.
    #[error("the answer is incomplete: {got} of the {wanted} bytes that its header announces came")]
    Incomplete {
        /// What came.
        got: usize,
        /// What its header says.
        wanted: usize,
    },
    /// An answer that is for somebody else.
    #[error("only an answer to another request came: {0}")]
    Foreign(String),
    /// An answer of another length than asked for.
    #[error("the answer has {got} bytes of data instead of {wanted}")]
    Length {
        /// What came.
        got: usize,
        /// What was asked for.
        wanted: usize,
    },
    /// Two answers that contradict each other.
    #[error("the answer came twice")]
    Doubled,
    /// The stream no longer makes sense.
    #[error("the stream is out of step: {0}")]
    OutOfStep(String),
}

impl WireFault {
    /// The kind under which it is counted.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            WireFault::Timeout => "timeout",
            WireFault::Closed => "closed",
            WireFault::Io(_) => "io",
            WireFault::Garbled(_) | WireFault::Incomplete { .. } => "garbled",
            WireFault::Foreign(_) => "foreign",
            WireFault::Length { .. } => "length",
            WireFault::Doubled => "doubled",
            WireFault::OutOfStep(_) => "out-of-step",
        }
    }

    /// Whether nothing at all came: everything else is a sign of life.
    #[must_use]
    pub fn is_silence(&self) -> bool {
        matches!(self, WireFault::Timeout)
    }

    /// Whether the connection has to be opened again.
    #[must_use]
    pub fn breaks_connection(&self) -> bool {
        match self {
            WireFault::Closed | WireFault::Io(_) | WireFault::OutOfStep(_) => true,
            WireFault::Timeout
            | WireFault::Garbled(_)
            | WireFault::Incomplete { .. }
            | WireFault::Foreign(_)
            | WireFault::Length { .. }
            | WireFault::Doubled => false,
        }
    }
}

/// The device says that it is at work and is to be asked again (5: acknowledge, 6: busy).
pub(super) fn is_busy(code: u8) -> bool {
    matches!(code, 5 | 6)
}

/// The device says that it has no such value (2: data address, 3: data value).
pub(super) fn is_no_value(code: u8) -> bool {
    matches!(code, 2 | 3)
}

/// A gateway's own word that a unit behind it is silent (10: path unavailable, 11: target failed to respond).
pub(super) fn is_gateways(code: u8) -> bool {
    matches!(code, 10 | 11)
}

/// What an exception code says (Modbus application protocol 7).
pub(super) fn exception_text(code: u8) -> String {
    let words = match code {
        1 => "illegal function",
        2 => "illegal data address",
        3 => "illegal data value",
        4 => "server device failure",
        5 => "acknowledge: the device still works on the request",
        6 => "server device busy",
        8 => "memory parity error",
        10 => "gateway path unavailable",
        11 => "gateway target device failed to respond",
        _ => "not in the standard",
    };
    format!("the device refuses with exception {code} ({words})")
}
