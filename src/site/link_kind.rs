//! Reading of `[[link]]`: the kind of a link and its address.

use std::time::Duration;

use super::model::{
    Character, Link, LinkKind, MqttBroker, Parity, SerialDevice, SerialLine, SerialPlace, TlsFiles,
};
use crate::limits;
use crate::profile::check_filter;
use crate::source::Section;
use crate::words::LinkName;

#[derive(Clone, Copy)]
enum Word {
    Tcp,
    Rtu,
    Ascii,
    RtuOverTcp,
    Serial,
    Mqtt,
}

const WORDS: [(&str, Word); 6] = [
    ("modbus-tcp", Word::Tcp),
    ("modbus-rtu", Word::Rtu),
    ("modbus-ascii", Word::Ascii),
    ("modbus-rtu-over-tcp", Word::RtuOverTcp),
    ("serial", Word::Serial),
    ("mqtt", Word::Mqtt),
];

/// Reads a link. `gateway` is the name of the gateway, for the client id at a broker.
pub(super) fn read_link(s: &Section<'_>, gateway: &str) -> Option<Link> {
    let name = s.name("name");
    let name = s.required("name", "\"rs485-a\"", name);
    let kind = s.choice("kind", &WORDS);
    let kind = s.required("kind", "\"modbus-tcp\"", kind);
    let name = name.and_then(|n| {
        LinkName::parse(&n.value)
            .map_err(|e| s.error(n.span, format!("'{}' is not a valid link name", n.value), e.to_string()))
            .ok()
    });
    let kind = match kind?.value {
        Word::Tcp => LinkKind::ModbusTcp { address: read_address(s, Some(502))? },
        Word::RtuOverTcp => LinkKind::ModbusRtuOverTcp { address: read_address(s, Some(502))? },
        Word::Rtu => LinkKind::ModbusRtu(read_line(s, 8)?),
        Word::Ascii => LinkKind::ModbusAscii(read_line(s, 7)?),
        Word::Serial => LinkKind::Serial(read_serial(s)?),
        Word::Mqtt => LinkKind::Mqtt(Box::new(read_broker(s, gateway)?)),
    };
    Some(Link { name: name?, kind })
}

/// Reads `host:port`. Without a port, the address gets the default port of the protocol.
fn read_address(s: &Section<'_>, default: Option<u16>) -> Option<String> {
    let address = s.text_up_to("address", limits::KEY_BYTES_MAX);
    let address = s.required("address", "\"192.168.10.20:502\"", address)?;
    let port = address
        .value
        .rsplit_once(':')
        .and_then(|(host, port)| (!host.is_empty()).then(|| port.parse::<u16>().ok())?);
    match (port, default) {
        (Some(port), _) if port > 0 => Some(address.value),
        (_, Some(default)) if !address.value.contains(':') => Some(format!("{}:{default}", address.value)),
        _ => {
            s.error(address.span, format!("\"{}\" is not an address", address.value), "write host:port");
            None
        }
    }
}

fn read_baud(s: &Section<'_>) -> Option<u32> {
    s.integer_between("baud", 300, 4_000_000).and_then(|b| u32::try_from(b.value).ok())
}

fn read_character(s: &Section<'_>, data_bits: u8, parity: Parity) -> Character {
    let bits = |key, min, max| s.integer_between(key, min, max).and_then(|b| u8::try_from(b.value).ok());
    Character {
        data_bits: bits("data_bits", 7, 8).unwrap_or(data_bits),
        parity: s.choice("parity", &Parity::ALL.map(|p| (p.word(), p))).map_or(parity, |p| p.value),
        stop_bits: bits("stop_bits", 1, 2).unwrap_or(1),
    }
}

fn read_line(s: &Section<'_>, data_bits: u8) -> Option<SerialLine> {
    let port = s.text_up_to("port", limits::KEY_BYTES_MAX);
    let port = s.required("port", "\"/dev/serial/by-id/usb-...\"", port);
    let baud = read_baud(s).unwrap_or(19_200);
    let character = read_character(s, data_bits, Parity::Even);
    if data_bits == 8 && character.data_bits == 7 {
        s.error(
            s.key_span("data_bits"),
            "an RTU character must have 8 data bits",
            "7 data bits are only possible with kind = \"modbus-ascii\"",
        );
    }
    Some(SerialLine { port: port?.value, baud, character })
}

fn read_serial(s: &Section<'_>) -> Option<SerialDevice> {
    let place = match (s.has("port"), s.has("address")) {
        (true, true) => {
            s.error(s.key_span("address"), "port and address cannot be used together", "keep one of them");
            return None;
        }
        (false, true) => SerialPlace::Tcp(read_address(s, None)?),
        _ => {
            let port = s.text_up_to("port", limits::KEY_BYTES_MAX);
            let example = "\"/dev/serial/by-id/usb-...\"  (or address = \"host:port\" of a device server)";
            SerialPlace::Port(s.required("port", example, port)?.value)
        }
    };
    let baud = read_baud(s);
    Some(SerialDevice { place, baud, character: read_character(s, 8, Parity::None) })
}

fn read_broker(s: &Section<'_>, gateway: &str) -> Option<MqttBroker> {
    let url = s.text("url");
    let url = s.required("url", "\"mqtts://broker.local:8883\"", url);
    let file = |key| s.text(key).map(|t| t.value);
    let (ca_file, cert, key) = (file("ca_file"), file("client_cert_file"), file("client_key_file"));
    let username = s.text_up_to("username", limits::KEY_BYTES_MAX).map(|t| t.value);
    let password_file = file("password_file");
    let version = s.integer_between("version", 4, 5).map_or(4, |v| if v.value == 5 { 5 } else { 4 });
    let client_id = s
        .text_up_to("client_id", limits::KEY_BYTES_MAX)
        .map_or_else(|| format!("andon-{gateway}"), |t| t.value);
    let max_packet = read_size(s, "max_packet").unwrap_or(limits::MQTT_PACKET_DEFAULT);
    let keep_alive = s
        .duration_between("keep_alive", Duration::from_secs(5), Duration::from_secs(3600))
        .unwrap_or(limits::MQTT_KEEP_ALIVE);
    let sparkplug_host = s.text_up_to("sparkplug_host", limits::KEY_BYTES_MAX);
    if let Some(host) = &sparkplug_host
        && (check_filter(&host.value).is_err() || host.value.contains(['/', '+', '#']))
    {
        s.error(
            host.span.clone(),
            format!("\"{}\" is not a host id", host.value),
            "a host id must be one level of a topic",
        );
    }
    let url = url?;
    let (is_tls, host, port) = match parse_url(&url.value) {
        Some(parts) => parts,
        None => {
            s.error(
                url.span,
                format!("\"{}\" is not the address of a broker", url.value),
                "write mqtt://host:1883 or mqtts://host:8883",
            );
            return None;
        }
    };
    if (cert.is_some()) != (key.is_some()) {
        s.error(s.span(), "client_cert_file and client_key_file must both be given", "");
    }
    let tls = match (is_tls, ca_file) {
        (true, ca_file) => Some(TlsFiles { ca_file, client: cert.zip(key) }),
        (false, ca) => {
            if ca.is_some() || cert.is_some() {
                s.error(s.key_span("url"), "certificates can only be used with mqtts://", "");
            }
            None
        }
    };
    Some(MqttBroker {
        host,
        port,
        tls,
        username,
        password_file,
        version,
        client_id,
        max_packet,
        keep_alive,
        sparkplug_host: sparkplug_host.map(|t| t.value),
    })
}

fn parse_url(url: &str) -> Option<(bool, String, u16)> {
    let (is_tls, rest) = match url.strip_prefix("mqtts://") {
        Some(rest) => (true, rest),
        None => (false, url.strip_prefix("mqtt://")?),
    };
    let rest = rest.trim_end_matches('/');
    let default = if is_tls { 8883 } else { 1883 };
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok().filter(|p| *p > 0)?),
        None => (rest, default),
    };
    (!host.is_empty() && !host.contains(['/', '@'])).then(|| (is_tls, host.to_owned(), port))
}

/// Reads `"256KiB"`, `"1MiB"`, or a number of bytes.
fn read_size(s: &Section<'_>, key: &str) -> Option<usize> {
    let text = s.text(key)?;
    let (digits, factor) = match text.value.strip_suffix("KiB") {
        Some(digits) => (digits, 1024),
        None => {
            text.value.strip_suffix("MiB").map_or((text.value.as_str(), 1), |digits| (digits, 1024 * 1024))
        }
    };
    let bytes = digits.trim().parse::<usize>().ok().and_then(|n| n.checked_mul(factor));
    let bytes = bytes.filter(|n| (1024..=limits::MQTT_PACKET_MAX).contains(n));
    if bytes.is_none() {
        s.error(
            text.span,
            format!("{key} must be from 1KiB to {}MiB", limits::MQTT_PACKET_MAX / (1024 * 1024)),
            "for example 256KiB",
        );
    }
    bytes
}
