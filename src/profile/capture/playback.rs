//! A capture played back to the decoder: requests and answers paired, registers decoded as a profile says.

use super::{Frame, WireKind};
use crate::profile::{Area, Profile, decode};
use crate::words::{BadReason, Value};

/// A point's reading in a capture.
#[derive(Debug, Clone, PartialEq)]
pub struct Played {
    /// When, in microseconds since 1970.
    pub at_us: i64,
    /// The unit that answered.
    pub unit: u8,
    /// The point's name.
    pub point: String,
    /// Its value, or why there is none.
    pub value: Result<Value, BadReason>,
}

/// A request as it stands in a frame: unit, function, first register, count.
struct Asked {
    unit: u8,
    area: Area,
    start: u16,
    count: u16,
}

/// Decodes every answer of a capture that fits the request before it; of one unit, or of all.
#[must_use]
pub fn play(kind: WireKind, frames: &[Frame], profile: &Profile, unit: Option<u8>) -> Vec<Played> {
    let mut out = Vec::new();
    let mut asked: Option<Asked> = None;
    for frame in frames {
        let Some((of, pdu)) = body(kind, &frame.bytes) else { continue };
        if frame.is_sent {
            asked = request(of, pdu).filter(|a| unit.is_none_or(|u| u == a.unit));
            continue;
        }
        let Some(request) = asked.take() else { continue };
        let Some(words) = answer(&request, of, pdu) else { continue };
        out.extend(points(profile, &request, &words).map(|(point, value)| Played {
            at_us: frame.at_us,
            unit: request.unit,
            point,
            value,
        }));
    }
    out
}

/// Unit, and function with data.
fn body(kind: WireKind, bytes: &[u8]) -> Option<(u8, &[u8])> {
    let adu = match kind {
        WireKind::Tcp(_) => bytes.get(6..)?,
        WireKind::Serial => bytes.get(..bytes.len().checked_sub(2)?)?,
    };
    adu.split_first().map(|(unit, pdu)| (*unit, pdu))
}

fn request(unit: u8, pdu: &[u8]) -> Option<Asked> {
    let [function, a, b, c, d] = *pdu else { return None };
    let area = Area::ALL.into_iter().find(|area| area.function() == function)?;
    Some(Asked { unit, area, start: u16::from_be_bytes([a, b]), count: u16::from_be_bytes([c, d]) })
}

/// The registers of an answer, or its bits as 0 and 1; nothing where it does not fit its request.
fn answer(asked: &Asked, unit: u8, pdu: &[u8]) -> Option<Vec<u16>> {
    let [function, length, data @ ..] = pdu else { return None };
    if unit != asked.unit || *function != asked.area.function() || usize::from(*length) != data.len() {
        return None;
    }
    let words: Vec<u16> = if asked.area.is_bits() {
        (0..asked.count)
            .filter_map(|i| Some(u16::from(data.get(usize::from(i / 8))? >> (i % 8) & 1)))
            .collect()
    } else {
        data.chunks_exact(2).map(|pair| pair.iter().fold(0, |w, b| w << 8 | u16::from(*b))).collect()
    };
    (words.len() == usize::from(asked.count)).then_some(words)
}

fn points<'a>(
    profile: &'a Profile,
    asked: &'a Asked,
    words: &'a [u16],
) -> impl Iterator<Item = (String, Result<Value, BadReason>)> + 'a {
    let at = move |number: u16, width: u16| {
        let first = usize::from(number.checked_sub(asked.start)?);
        words.get(first..first + usize::from(width))
    };
    profile.points.iter().filter_map(move |point| {
        let address = point.register().filter(|r| r.area == asked.area)?;
        let raw = at(address.number, point.width())?;
        let factor = match point.scale_from {
            None => None,
            Some(f) => Some(*at(profile.points.get(f)?.register()?.number, 1)?.first()?),
        };
        Some((point.name.to_string(), decode(point, raw, factor)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::load;
    use crate::source::SourceText;
    use crate::words::ProfileName;

    #[test]
    fn answers_are_decoded_and_foreign_ones_left_out() {
        let text = "[device]\nvendor='v'\nmodel='m'\nkind='k'\n[points]\n\
            a = { register = 'holding:10', type = 'u16', scale = 0.1 }\nb = { register = 'holding:11', type = 'i16' }\n";
        let profile = load(&ProfileName::parse("p").unwrap(), &SourceText::new("p", text)).0.unwrap();
        let frame = |at_us, is_sent, bytes: &[u8]| Frame { at_us, is_sent, bytes: bytes.to_vec() };
        let ask = [0, 1, 0, 0, 0, 6, 7, 3, 0, 10, 0, 2];
        let frames = [
            frame(1, true, &ask),
            frame(2, false, &[0, 1, 0, 0, 0, 7, 7, 3, 4, 0, 123, 0xFF, 0xFF]),
            frame(3, true, &ask),
            frame(4, false, &[0, 1, 0, 0, 0, 7, 8, 3, 4, 0, 1, 0, 1]),
            frame(5, true, &ask),
            frame(6, false, &[0, 1, 0, 0, 0, 5, 7, 3, 2, 0, 1]),
            frame(7, false, &[0, 1, 0, 0, 0, 7, 7, 3, 4, 0, 9, 0, 9]),
        ];
        let played = play(WireKind::Tcp(502), &frames, &profile, None);
        let found: Vec<_> = played.iter().map(|p| (p.at_us, p.point.as_str(), p.value.clone())).collect();
        assert_eq!(found, [(2, "a", Ok(Value::Real(12.3))), (2, "b", Ok(Value::Integer(-1)))]);
        assert!(play(WireKind::Tcp(502), &frames, &profile, Some(9)).is_empty());
    }
}
