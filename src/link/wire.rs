//! The only place that opens sockets and serial ports, and that lists the serial ports of the computer.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use crate::limits;
use crate::site::{Character, Parity};

/// A byte stream in both directions.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Opens a TCP connection to `host:port`.
pub(super) async fn connect(address: &str) -> Result<Box<dyn Stream>, String> {
    let stream = match timeout(limits::CONNECT_TIMEOUT, tokio::net::TcpStream::connect(address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(e)) => return Err(format!("cannot connect to {address}: {e}")),
        Err(_elapsed) => return Err(format!("cannot connect to {address}: no response (timeout)")),
    };
    // Without `nodelay` each request would wait until the request before it is acknowledged.
    stream.set_nodelay(true).map_err(|e| e.to_string())?;
    Ok(Box::new(stream))
}

/// Opens a serial port for this process alone. Also returns a remark about the port for people, or `None`.
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
    let path_text = path.to_str().ok_or_else(|| format!("the path {shown} is not valid text"))?;
    let port = tokio_serial::new(path_text, baud).parity(parity).data_bits(data).stop_bits(stop);
    let port = port.open_native_async();
    let port = port.map_err(|e| {
        if e.to_string().contains("exclusive lock") {
            format!("{shown} is in use by another program (try: fuser {shown})")
        } else {
            format!("cannot open {shown}: {e}")
        }
    })?;
    let remark =
        (port.parity().ok() != Some(parity)).then(|| format!("{shown} does not support this parity"));
    Ok((Box::new(port), remark))
}

/// Returns the path, or the only path that matches a pattern. The pattern is resolved at each opening, because an
/// adapter can get another name when it is plugged in again.
fn resolve(port: &str) -> Result<PathBuf, String> {
    if !port.contains(['*', '?', '[']) {
        return Ok(PathBuf::from(port));
    }
    let found: Vec<PathBuf> =
        glob::glob(port).map_err(|e| format!("{port} is not a valid pattern: {e}"))?.flatten().collect();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(format!("no device matches {port}")),
        several => Err(format!(
            "{port} matches {} devices: {}",
            several.len(),
            several.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ")
        )),
    }
}

/// A serial port of this computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// The device file, for example `/dev/ttyUSB0`.
    pub path: String,
    /// The path under `/dev/serial/by-id`, which does not depend on the order of plugging; `None` if there is none.
    pub by_id: Option<String>,
    /// USB vendor id, product id and serial number; `None` if the port is not USB.
    pub usb: Option<String>,
    /// Manufacturer and product, for people; may be empty.
    pub device: String,
}

/// The serial ports of this computer, ordered by path.
#[must_use]
pub fn ports() -> Vec<Port> {
    // The crate `serialport` fails if the folder does not exist.
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
