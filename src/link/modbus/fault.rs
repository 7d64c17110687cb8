//! The failures of a Modbus request, and the names of the Modbus exceptions.

/// The reason why a request received no valid answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireFault {
    /// No byte arrived in time.
    #[error("no answer in time")]
    Timeout,
    /// The other side closed the connection.
    #[error("the connection was closed")]
    Closed,
    /// The operating system reported an error; its text.
    #[error("{0}")]
    Io(String),
    /// Bytes arrived, but their checksum is wrong; the number of bytes.
    #[error("checksum error in the response ({0} bytes): check baud rate, parity, wiring and termination")]
    Garbled(usize),
    /// A Modbus TCP frame is shorter than its header announces.
    #[error("the response is incomplete: {got} of {wanted} bytes arrived")]
    Incomplete {
        /// The number of bytes that arrived.
        got: usize,
        /// The number of bytes that the header announces.
        wanted: usize,
    },
    /// A valid frame arrived that answers another request; what is different about it.
    #[error("the response belongs to another request: {0}")]
    Foreign(String),
    /// The answer contains another number of data bytes than requested.
    #[error("the response has {got} bytes of data instead of {wanted}")]
    Length {
        /// The number of data bytes that arrived.
        got: usize,
        /// The number of data bytes that were requested.
        wanted: usize,
    },
    /// Two answers arrived for one request.
    #[error("two responses arrived for one request")]
    Doubled,
    /// The bytes do not form Modbus frames any more; the reason.
    #[error("the received bytes are not Modbus frames: {0}")]
    OutOfStep(String),
}

impl WireFault {
    /// The word under which this kind of failure is counted.
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

    /// True if no byte arrived. Every other failure shows that a device is connected.
    #[must_use]
    pub fn is_silence(&self) -> bool {
        matches!(self, WireFault::Timeout)
    }

    /// True if the connection must be opened again.
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

/// True for the exceptions of a device that is still working: 5 (acknowledge) and 6 (server device busy).
pub(super) fn is_busy(code: u8) -> bool {
    matches!(code, 5 | 6)
}

/// True for the exceptions of a device that does not have the value: 2 (illegal data address) and 3 (illegal data
/// value).
pub(super) fn is_no_value(code: u8) -> bool {
    matches!(code, 2 | 3)
}

/// True for the exceptions with which a gateway reports a silent device behind it: 10 (gateway path unavailable) and
/// 11 (gateway target device failed to respond).
pub(super) fn is_gateways(code: u8) -> bool {
    matches!(code, 10 | 11)
}

/// The exception code with its name in the Modbus application protocol, section 7.
pub(super) fn exception_text(code: u8) -> String {
    let words = match code {
        1 => "illegal function",
        2 => "illegal data address",
        3 => "illegal data value",
        4 => "server device failure",
        5 => "acknowledge: the device is still working on the request",
        6 => "server device busy",
        8 => "memory parity error",
        10 => "gateway path unavailable",
        11 => "gateway target device failed to respond",
        _ => "not defined in the standard",
    };
    format!("the device rejects the request with exception {code} ({words})")
}
