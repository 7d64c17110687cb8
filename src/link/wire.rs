//! The only place that opens sockets and ports, and that knows which ports there are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

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
    let path_text = path.to_str().ok_or_else(|| format!("{shown} is not text"))?;
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
        glob::glob(port).map_err(|e| format!("{port} is not a pattern: {e}"))?.flatten().collect();
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

/// A serial port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Its device file.
    pub path: String,
    /// The name that stays whatever the plugging order, where there is one.
    pub by_id: Option<String>,
    /// USB vendor, product and serial number.
    pub usb: Option<String>,
    /// What it is, for people.
    pub device: String,
}

/// Every serial port.
#[must_use]
pub fn ports() -> Vec<Port> {
    // The crate takes the folder for granted.
    if !Path::new("/sys/class/tty").is_dir() {
        return Vec::new();
    }
    let by_id = by_id();
    let mut out: Vec<Port> = serialport::available_ports()
        .unwrap_or_default()
        .into_iter()
        .map(|p| {
            let target = std::fs::canonicalize(&p.port_name).unwrap_or_else(|_| PathBuf::from(&p.port_name));
            let (usb, device) = match p.port_type {
                serialport::SerialPortType::UsbPort(usb) => {
                    let serial = usb.serial_number.map_or(String::new(), |s| format!(" {s}"));
                    let words: Vec<String> = usb.manufacturer.into_iter().chain(usb.product).collect();
                    (Some(format!("{:04x}:{:04x}{serial}", usb.vid, usb.pid)), words.join(" "))
                }
                serialport::SerialPortType::PciPort => (None, "on the board".to_owned()),
                serialport::SerialPortType::BluetoothPort => (None, "Bluetooth".to_owned()),
                serialport::SerialPortType::Unknown => (None, String::new()),
            };
            Port { by_id: by_id.get(&target).cloned(), path: p.port_name, usb, device }
        })
        .collect();
    out.sort_by(|a, b| a.path.cmp(&b.path));
    out
}

fn by_id() -> BTreeMap<PathBuf, String> {
    let entries = std::fs::read_dir("/dev/serial/by-id").into_iter().flatten().flatten();
    let pairs = entries.filter_map(|e| {
        let path = e.path();
        Some((std::fs::canonicalize(&path).ok()?, path.display().to_string()))
    });
    pairs.collect()
}
