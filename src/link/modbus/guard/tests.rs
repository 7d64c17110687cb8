//! Tests of the guard, frame by frame.

use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn rtu(body: &[u8]) -> Vec<u8> {
    let mut frame = body.to_vec();
    frame.extend_from_slice(&crc16(body).to_le_bytes());
    frame
}

/// Returns what the guard passes for a request, if these bytes then arrive and nothing more.
async fn through(framing: Framing, request: &[u8], wire: &[u8]) -> Result<Vec<u8>, WireFault> {
    let (ours, mut theirs) = tokio::io::duplex(4096);
    let mut guard = Guard::new(Box::new(ours), framing, true);
    guard.write_all(request).await.unwrap();
    theirs.write_all(wire).await.unwrap();
    if framing == Framing::Tcp {
        let mut sent = [0; 2];
        theirs.read_exact(&mut sent).await.unwrap();
        assert_eq!(sent, [0, 1], "the guard counts transactions itself");
    }
    let mut space = [0; 300];
    let read = std::future::poll_fn(|cx| {
        let mut buf = ReadBuf::new(&mut space);
        match Pin::new(&mut guard).poll_read(cx, &mut buf) {
            Poll::Ready(Ok(())) => Poll::Ready(Some(buf.filled().to_vec())),
            Poll::Ready(Err(_)) | Poll::Pending => Poll::Ready(None),
        }
    });
    read.await.ok_or_else(|| guard.fault())
}

const ASK: [u8; 6] = [7, 3, 0, 10, 0, 2];

async fn check_rtu(wire: &[Vec<u8>], expected: Result<Vec<u8>, WireFault>) {
    assert_eq!(through(Framing::Rtu, &rtu(&ASK), &wire.concat()).await, expected);
}

#[test]
fn the_checksum_is_the_standards() {
    // The standard's example: 02 07 has the checksum 41 12 (low byte first).
    assert_eq!(crc16(&[0x02, 0x07]), 0x1241);
}

#[tokio::test]
async fn rtu_lets_only_the_answer_through() {
    let good = rtu(&[7, 3, 4, 0, 1, 0, 2]);
    let exception = rtu(&[7, 0x83, 2]);
    check_rtu(std::slice::from_ref(&good), Ok(good.clone())).await;
    check_rtu(std::slice::from_ref(&exception), Ok(exception.clone())).await;
    check_rtu(&[rtu(&ASK), good.clone()], Ok(good.clone())).await;
    check_rtu(&[vec![0, 0xFF, 7, 3, 4], good.clone()], Ok(good.clone())).await;
    check_rtu(&[rtu(&[8, 3, 4, 0, 9, 0, 9]), good.clone()], Ok(good.clone())).await;
    check_rtu(&[rtu(&[7, 3, 2, 0, 9]), good.clone()], Ok(good.clone())).await;
    check_rtu(&[rtu(&[7, 4, 4, 0, 9, 0, 9]), good.clone()], Ok(good.clone())).await;
    check_rtu(&[good.clone(), good.clone()], Ok(good.clone())).await;
    check_rtu(&[good.clone(), rtu(&[7, 3, 4, 0, 5, 0, 5])], Err(WireFault::Doubled)).await;
    check_rtu(&[rtu(&ASK)], Err(WireFault::Timeout)).await;
    check_rtu(&[rtu(&[8, 3, 4, 0, 9, 0, 9])], Err(WireFault::Foreign("unit 8".into()))).await;
    check_rtu(&[rtu(&[7, 3, 2, 0, 9])], Err(WireFault::Length { got: 2, wanted: 4 })).await;
    check_rtu(&[rtu(&[7, 3, 6, 0, 1, 0, 2, 0, 3])], Err(WireFault::Length { got: 6, wanted: 4 })).await;
    let mut garbled = good.clone();
    garbled[4] ^= 1;
    check_rtu(&[garbled], Err(WireFault::Garbled(9))).await;
    check_rtu(&[good[..6].to_vec()], Err(WireFault::Garbled(6))).await;
    check_rtu(&[], Err(WireFault::Timeout)).await;
}

fn tcp(transaction: u16, body: &[u8]) -> Vec<u8> {
    let mut frame = transaction.to_be_bytes().to_vec();
    frame.extend_from_slice(&[0, 0]);
    frame.extend_from_slice(&u16::try_from(body.len()).unwrap().to_be_bytes());
    frame.extend_from_slice(body);
    frame
}

/// The client's transaction id is 5, the guard's first is 1: the guard accepts an answer to 1 and shows it as 5.
async fn check_tcp(wire: &[Vec<u8>], expected: Result<Vec<u8>, WireFault>) {
    assert_eq!(through(Framing::Tcp, &tcp(5, &ASK), &wire.concat()).await, expected);
}

#[tokio::test]
async fn tcp_lets_only_the_answer_through() {
    let good = tcp(1, &[7, 3, 4, 0, 1, 0, 2]);
    let shown = tcp(5, &[7, 3, 4, 0, 1, 0, 2]);
    check_tcp(std::slice::from_ref(&good), Ok(shown.clone())).await;
    check_tcp(&[tcp(4, &[7, 3, 4, 0, 9, 0, 9]), good.clone()], Ok(shown.clone())).await;
    check_tcp(&[tcp(1, &[9, 3, 4, 0, 9, 0, 9])], Err(WireFault::Foreign("unit 9".into()))).await;
    check_tcp(&[tcp(1, &[7, 4, 4, 0, 9, 0, 9])], Err(WireFault::Foreign("function 4".into()))).await;
    check_tcp(&[tcp(1, &[7, 3, 2, 0, 9])], Err(WireFault::Length { got: 2, wanted: 4 })).await;
    check_tcp(&[tcp(1, &[7, 3, 4, 0, 9])], Err(WireFault::Length { got: 2, wanted: 4 })).await;
    check_tcp(&[good[..9].to_vec()], Err(WireFault::Incomplete { got: 9, wanted: 13 })).await;
    check_tcp(
        &[b"HTTP/1.1 200 OK".to_vec()],
        Err(WireFault::OutOfStep("this is not a Modbus TCP header".into())),
    )
    .await;
}

#[tokio::test]
async fn what_waits_is_drained_before_a_request() {
    let (ours, mut theirs) = tokio::io::duplex(4096);
    let guard = Guard::new(Box::new(ours), Framing::Rtu, true);
    theirs.write_all(&rtu(&[7, 3, 4, 0, 1, 0, 2])).await.unwrap();
    let stray = std::future::poll_fn(|cx| Poll::Ready(guard.drain(cx))).await;
    assert_eq!(stray, Ok(9));
    let mut copy = guard.clone();
    let mut space = [0; 10];
    let waits = tokio::time::timeout(std::time::Duration::from_millis(1), copy.read(&mut space)).await;
    assert!(waits.is_err());
}

#[tokio::test]
async fn the_answer_to_a_write_is_told_from_its_echo() {
    let write = rtu(&[7, 6, 0, 10, 0, 2]);
    // The adapter is unknown: a frame equal to the request counts as its answer, and a read shows the real value.
    assert_eq!(through(Framing::Rtu, &write, &write).await, Ok(write.clone()));
    let other = rtu(&[7, 6, 0, 10, 0, 3]);
    let foreign = Err(WireFault::Foreign("the confirmation of another write".into()));
    assert_eq!(through(Framing::Rtu, &write, &other).await, foreign);
    // This adapter has echoed a read before, so the echo of a write confirms nothing.
    let (ours, mut theirs) = tokio::io::duplex(4096);
    let mut guard = Guard::new(Box::new(ours), Framing::Rtu, true);
    let mut space = [0; 300];
    guard.write_all(&rtu(&ASK)).await.unwrap();
    theirs.write_all(&[rtu(&ASK), rtu(&[7, 3, 4, 0, 1, 0, 2])].concat()).await.unwrap();
    assert_eq!(guard.read(&mut space).await.unwrap(), 9);
    std::future::poll_fn(|cx| Poll::Ready(guard.drain(cx))).await.unwrap();
    guard.write_all(&write).await.unwrap();
    theirs.write_all(&write).await.unwrap();
    let mut read = |guard: &mut Guard| {
        let mut buf = ReadBuf::new(&mut space);
        let polled = Pin::new(guard).poll_read(&mut Context::from_waker(std::task::Waker::noop()), &mut buf);
        (polled.is_ready(), buf.filled().to_vec())
    };
    assert_eq!(read(&mut guard), (false, Vec::new()));
    theirs.write_all(&write).await.unwrap();
    assert_eq!(read(&mut guard), (true, write));
}
