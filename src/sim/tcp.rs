//! Modbus TCP: connections, headers, and answers after the turnaround time.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::machine::Shared;
use super::pdu::answer;
use crate::ambient::Clock;
use crate::words::Mono;

/// The machines of one line by unit id, each with its turnaround time.
pub(super) type Units = BTreeMap<u8, (Shared, Duration)>;

const GATEWAY_TARGET_SILENT: u8 = 11;

/// Serves a listener until it fails.
pub(super) async fn serve(listener: TcpListener, units: Units, clock: Clock) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // The result is not needed: a connection ends when the client closes it.
                tokio::spawn(converse(stream, units.clone(), clock));
            }
            Err(_) => return,
        }
    }
}

async fn converse(mut stream: TcpStream, units: Units, clock: Clock) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut header = [0_u8; 7];
    loop {
        stream.read_exact(&mut header).await?;
        let [t1, t0, p1, p0, l1, l0, unit] = header;
        let length = usize::from(u16::from_be_bytes([l1, l0]));
        if (p1, p0) != (0, 0) || !(2..=254).contains(&length) {
            return Ok(());
        }
        let mut request = vec![0; length - 1];
        stream.read_exact(&mut request).await?;
        let Some((machine, turnaround)) = units.get(&unit) else {
            let function = request.first().copied().unwrap_or(0);
            send(&mut stream, [t1, t0], unit, &[function | 0x80, GATEWAY_TARGET_SILENT]).await?;
            continue;
        };
        if !turnaround.is_zero() {
            tokio::time::sleep(*turnaround).await;
        }
        let now = clock.now().mono.since(Mono(0));
        let pdu = machine.with(|m| (!m.is_silent()).then(|| answer(&request, m, now)));
        if let Some(pdu) = pdu {
            send(&mut stream, [t1, t0], unit, &pdu).await?;
        }
    }
}

async fn send(stream: &mut TcpStream, transaction: [u8; 2], unit: u8, pdu: &[u8]) -> io::Result<()> {
    let [l1, l0] = u16::try_from(pdu.len() + 1).unwrap_or(0).to_be_bytes();
    let [t1, t0] = transaction;
    let mut frame = vec![t1, t0, 0, 0, l1, l0, unit];
    frame.extend_from_slice(pdu);
    stream.write_all(&frame).await
}
