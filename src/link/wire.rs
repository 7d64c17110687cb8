//! The only place that opens sockets and ports.

use std::path::PathBuf;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use crate::limits;
use crate::site::{Character, Parity};

/// A byte stream.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Connects to `host:port`.
pub(super) async fn connect(address: &str) -> Result<Box<dyn Stream>, String> {
    let stream = match timeout(limits::CONNECT_TIMEOUT, tokio::net::TcpStream::connect(address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(e)) => return Err(format!("{address} does not take a connection: {e}")),
        Err(_elapsed) => return Err(format!("{address} does not answer")),
    };
    // Without this every request would wait for the acknowledgement of the one before.
    stream.set_nodelay(true).map_err(|e| e.to_string())?;
    Ok(Box::new(stream))
}

/// Opens a port, for this process alone; also what should be known of it, as a sentence.
pub(super) fn open_port(
    port: &str,
    baud: u32,
    character: Character,
) -> Result<(Box<dyn Stream>, Option<String>), String> {
    use serialport::SerialPort;
    use tokio_serial::SerialPortBuilderExt;
    let path = resolve(port)?;
    let shown = path.display();
    let parity = match character.parity {
        Parity::None => tokio_serial::Parity::None,
        Parity::Even => tokio_serial::Parity::Even,
        Parity::Odd => tokio_serial::Parity::Odd,
    };
    let data =
        if character.data_bits == 7 { tokio_serial::DataBits::Seven } else { tokio_serial::DataBits::Eight };
    let stop =
        if character.stop_bits == 2 { tokio_serial::StopBits::Two } else { tokio_serial::StopBits::One };
    let path_text = path.to_str().ok_or_else(|| format!("{shown} is no text"))?;
    let port = tokio_serial::new(path_text, baud).parity(parity).data_bits(data).stop_bits(stop);
    let port = port.open_native_async();
    let port = port.map_err(|e| {
        if e.to_string().contains("exclusive lock") {
            format!("{shown} is in use by another program (try: fuser {shown})")
        } else {
            format!("{shown} does not open: {e}")
        }
    })?;
    let remark =
        (port.parity().ok() != Some(parity)).then(|| format!("{shown} does not take the parity asked for"));
    Ok((Box::new(port), remark))
}

/// A path, or the one path that fits a pattern; looked up at each open, because adapters come back under other names.
fn resolve(port: &str) -> Result<PathBuf, String> {
    if !port.contains(['*', '?', '[']) {
        return Ok(PathBuf::from(port));
    }
    let found: Vec<PathBuf> =
        glob::glob(port).map_err(|e| format!("{port} is no pattern: {e}"))?.flatten().collect();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(format!("nothing fits {port}")),
        several => Err(format!(
            "{port} fits {} devices: {}",
            several.len(),
            several.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ")
        )),
    }
}
