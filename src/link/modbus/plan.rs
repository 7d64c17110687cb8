//! Read planning: reads the registers of a device with as few requests as possible.
//!
//! Each point is in exactly one request, no request exceeds a limit, there are never more requests than points, and a
//! value and its scale factor are in the same request (tests: `plan_*`).

use std::time::Duration;

use crate::limits;
use crate::profile::{Area, IDENTIFICATION, Profile};
use crate::site::LinkKind;
use crate::words::PointIndex;

/// The place of one point in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedPoint {
    /// The index of the point in the profile.
    pub point: PointIndex,
    /// The first register of the point, counted from the start of the request.
    pub offset: u16,
    /// The number of registers (or bits) of the point.
    pub width: u16,
    /// The register of the scale factor, counted from the start of the request; `None` if the point has no
    /// `scale_from`.
    pub factor: Option<u16>,
}

/// One read request that is repeated at a fixed period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedRequest {
    /// The Modbus table.
    pub area: Area,
    /// The number of the first register or bit.
    pub start: u16,
    /// The number of registers or bits.
    pub count: u16,
    /// The period.
    pub every: Duration,
    /// The points in the answer.
    pub points: Vec<PlannedPoint>,
    /// True if a fault uses one of the points. These requests go first if the line has no time for all.
    pub is_used_by_fault: bool,
}

impl PlannedRequest {
    /// The request as text for people, for example `read holding 40..59`.
    #[must_use]
    pub fn text(&self) -> String {
        if self.area == Area::Identification {
            let word = IDENTIFICATION.iter().find(|(_, n)| *n == self.start).map_or("object", |(w, _)| w);
            return format!("read identification {word}");
        }
        let last = u32::from(self.start) + u32::from(self.count) - 1;
        format!("read {} {}..{last}", self.area.word(), self.start)
    }
}

/// The times of a transmission on a link.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LineTiming {
    /// A TCP connection.
    Tcp,
    /// A serial line.
    Serial {
        /// Bits per second.
        baud: u32,
        /// Bits of one character, with start and stop bits.
        bits: u32,
    },
}

impl LineTiming {
    /// The timing of a link.
    #[must_use]
    pub fn of(kind: &LinkKind) -> Self {
        match kind {
            LinkKind::ModbusTcp { .. }
            | LinkKind::ModbusRtuOverTcp { .. }
            | LinkKind::Serial(_)
            | LinkKind::Mqtt(_) => LineTiming::Tcp,
            LinkKind::ModbusRtu(line) => LineTiming::Serial { baud: line.baud, bits: line.character.bits() },
            // ASCII needs two characters for each byte and a few more for each frame, so each character counts
            // double.
            LinkKind::ModbusAscii(line) => {
                LineTiming::Serial { baud: line.baud, bits: 2 * line.character.bits() }
            }
        }
    }

    /// The time of one character; zero on TCP.
    #[must_use]
    pub fn character(self) -> Duration {
        match self {
            LineTiming::Tcp => Duration::ZERO,
            LineTiming::Serial { baud, bits } => Duration::from_secs(1) * bits / baud.max(1),
        }
    }

    /// The silence between two RTU frames: 3.5 characters, or 1.75 ms above 19200 baud.
    #[must_use]
    pub fn silence(self) -> Duration {
        match self {
            LineTiming::Tcp => Duration::ZERO,
            LineTiming::Serial { baud, .. } if baud > 19_200 => limits::RTU_SILENCE_MIN,
            LineTiming::Serial { .. } => self.character() * 7 / 2,
        }
    }

    /// The silence before a request: a quarter of a character longer than [`Self::silence`]. The device counts from
    /// its own last stop bit, and the driver may deliver the last byte before that stop bit has ended.
    #[must_use]
    pub fn gap(self) -> Duration {
        match self {
            LineTiming::Tcp => Duration::ZERO,
            LineTiming::Serial { .. } => self.silence() + (self.character() / 4).max(limits::RTU_GAP_MORE),
        }
    }

    /// The time that the characters of a read request and its answer take, for `count` registers or bits.
    #[must_use]
    pub fn characters(self, area: Area, count: u16) -> Duration {
        let data = if area.is_bits() { u32::from(count).div_ceil(8) } else { u32::from(count) * 2 };
        self.character() * (13 + data)
    }

    /// The total time of a read as assumed for the plan: characters, silences and the answer time of the device.
    #[must_use]
    pub fn transaction(self, area: Area, count: u16) -> Duration {
        match self {
            LineTiming::Tcp => limits::TCP_ANSWER_ASSUMED,
            LineTiming::Serial { .. } => {
                self.characters(area, count) + self.silence() * 2 + limits::TURNAROUND_ASSUMED
            }
        }
    }

    /// The largest count of one read, so that the read does not occupy the line too long: as many registers or bits
    /// as take [`limits::READ_TIME_MAX`], but always enough for the widest value.
    #[must_use]
    pub fn worthwhile_count(self, area: Area) -> u16 {
        let character = self.character().as_nanos();
        if character == 0 || area == Area::Identification {
            return u16::MAX;
        }
        let bytes = (limits::READ_TIME_MAX.as_nanos() / character).saturating_sub(13);
        let count = if area.is_bits() { bytes * 8 } else { bytes / 2 };
        u16::try_from(count).unwrap_or(u16::MAX).max(limits::READ_COUNT_MIN)
    }

    /// The number of unused registers that are cheaper to read than to skip with a second request.
    #[must_use]
    pub fn worthwhile_gap(self) -> u16 {
        match self {
            LineTiming::Tcp => limits::REGISTERS_MAX,
            LineTiming::Serial { .. } => {
                let overhead = self.character() * 13 + self.silence() * 2 + limits::TURNAROUND_ASSUMED;
                let gap = overhead.as_nanos() / (self.character().as_nanos() * 2).max(1);
                u16::try_from(gap).unwrap_or(limits::REGISTERS_MAX)
            }
        }
    }
}

/// A point with the registers that must be in the same request.
struct PointSpan {
    point: PointIndex,
    /// The first and the last register of the span, with the scale factor.
    first: u16,
    last: u16,
    /// The first register of the value itself.
    value: u16,
    width: u16,
    /// The register of the scale factor; `None` if the point has none.
    factor: Option<u16>,
}

/// Plans the read requests of a profile on a link.
#[must_use]
pub fn plan(profile: &Profile, timing: LineTiming) -> Vec<PlannedRequest> {
    let gap = profile.modbus.max_gap.unwrap_or_else(|| timing.worthwhile_gap());
    let mut groups: Vec<(Duration, Area)> =
        profile.points.iter().filter_map(|p| Some((p.every?, p.register()?.area))).collect();
    groups.sort_unstable();
    groups.dedup();
    let mut requests: Vec<PlannedRequest> = Vec::new();
    for (every, area) in groups {
        let max = match area {
            Area::Coil | Area::Discrete => limits::BITS_MAX,
            Area::Input | Area::Holding => profile.modbus.max_registers,
            // An identification is read one object per request.
            Area::Identification => 1,
        };
        let max = max.min(timing.worthwhile_count(area));
        let mut items = items(profile, every, area);
        // A slow point inside a faster request needs no request of its own.
        items.retain(|item| {
            let within = requests.iter_mut().find(|r| {
                r.area == area
                    && r.start <= item.first
                    && u32::from(item.last) < u32::from(r.start) + u32::from(r.count)
            });
            within.map(|r| r.points.push(placed(item, r.start))).is_none()
        });
        requests.extend(pack(&items, every, area, max, gap));
    }
    let judged = profile.judged_points();
    for request in &mut requests {
        request.is_used_by_fault = request.points.iter().any(|p| judged.contains(&p.point));
    }
    requests
}

fn items(profile: &Profile, every: Duration, area: Area) -> Vec<PointSpan> {
    let mut items: Vec<PointSpan> = profile
        .points
        .iter()
        .enumerate()
        .filter(|(_, p)| p.every == Some(every))
        .filter_map(|(index, p)| Some((index, p, p.register().filter(|r| r.area == area)?)))
        .map(|(index, p, register)| {
            let value = register.number;
            let end = value + (p.width() - 1);
            let factor = p.scale_from.and_then(|f| profile.points.get(f)?.register()).map(|r| r.number);
            let first = factor.map_or(value, |f| f.min(value));
            let last = factor.map_or(end, |f| f.max(end));
            PointSpan { point: PointIndex(index), first, last, value, width: p.width(), factor }
        })
        .collect();
    items.sort_by_key(|i| (i.first, i.last));
    items
}

fn placed(item: &PointSpan, start: u16) -> PlannedPoint {
    PlannedPoint {
        point: item.point,
        offset: item.value - start,
        width: item.width,
        factor: item.factor.map(|f| f - start),
    }
}

fn pack(items: &[PointSpan], every: Duration, area: Area, max: u16, gap: u16) -> Vec<PlannedRequest> {
    let mut out: Vec<PlannedRequest> = Vec::new();
    let mut block: Vec<&PointSpan> = Vec::new();
    let mut end = 0_u16;
    let close = |block: &mut Vec<&PointSpan>, end: u16, out: &mut Vec<PlannedRequest>| {
        if let Some(start) = block.first().map(|i| i.first) {
            let points = block.iter().map(|i| placed(i, start)).collect();
            let count = end - start + 1;
            out.push(PlannedRequest { area, start, count, every, points, is_used_by_fault: false });
        }
        block.clear();
    };
    for item in items {
        let fits = block.first().is_some_and(|first| {
            let last = end.max(item.last);
            u32::from(last) - u32::from(first.first) < u32::from(max)
                && item.first.saturating_sub(end) <= gap.saturating_add(1)
        });
        if !fits {
            close(&mut block, end, &mut out);
            end = item.last;
        }
        end = end.max(item.last);
        block.push(item);
    }
    close(&mut block, end, &mut out);
    out
}

/// Splits a request that the device refused into two, at its widest gap or in the middle. Returns `None` if the
/// request has only one point.
#[must_use]
pub fn split(request: &PlannedRequest) -> Option<(PlannedRequest, PlannedRequest)> {
    let mut points = request.points.clone();
    points.sort_by_key(first_of);
    let middle = points.len() / 2;
    let cut = (1..points.len()).max_by_key(|at| {
        let end = points.iter().take(*at).map(last_of).max().unwrap_or(0);
        let next = points.get(*at).map_or(0, first_of);
        (next.saturating_sub(end), usize::MAX - at.abs_diff(middle))
    })?;
    let right = points.split_off(cut);
    Some((part(request, &points), part(request, &right)))
}

fn first_of(p: &PlannedPoint) -> u16 {
    p.factor.map_or(p.offset, |f| f.min(p.offset))
}

fn last_of(p: &PlannedPoint) -> u16 {
    let end = p.offset + (p.width - 1);
    p.factor.map_or(end, |f| f.max(end))
}

fn part(request: &PlannedRequest, points: &[PlannedPoint]) -> PlannedRequest {
    let first = points.iter().map(first_of).min().unwrap_or(0);
    let last = points.iter().map(last_of).max().unwrap_or(0);
    let points = points
        .iter()
        .map(|p| PlannedPoint { offset: p.offset - first, factor: p.factor.map(|f| f - first), ..*p })
        .collect();
    PlannedRequest { start: request.start + first, count: last - first + 1, points, ..request.clone() }
}

/// The line load of these requests: the share of time in which the line is in use. 1.0 is a full line.
#[must_use]
pub fn load<'a>(requests: impl IntoIterator<Item = &'a PlannedRequest>, timing: LineTiming) -> f64 {
    requests
        .into_iter()
        .map(|r| timing.transaction(r.area, r.count).as_secs_f64() / r.every.as_secs_f64().max(1e-3))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::load as load_profile;
    use crate::source::SourceText;
    use crate::words::ProfileName;
    use proptest::prelude::*;

    fn profile(modbus: &str, points: &str) -> Profile {
        let text =
            format!("[device]\nvendor='v'\nmodel='m'\nkind='k'\n[modbus]\n{modbus}\n[points]\n{points}");
        let (profile, diagnostics) =
            load_profile(&ProfileName::parse("p").unwrap(), &SourceText::new("p", &text));
        profile.unwrap_or_else(|| panic!("{:?}", diagnostics.lines()))
    }

    #[track_caller]
    fn check(modbus: &str, points: &str, expected: &[&str]) {
        let found: Vec<String> = plan(&profile(modbus, points), LineTiming::Tcp)
            .iter()
            .map(|r| format!("{} every {:?}", r.text(), r.every))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn plan_coalesces_within_limits() {
        let points = "a = { register = 'holding:0', type = 'f32' }\nb = { register = 'holding:4', type = 'u16' }\nc = { register = 'input:3', type = 'u16' }";
        check("", points, &["read input 3..3 every 1s", "read holding 0..4 every 1s"]);
        check(
            "max_gap = 1",
            points,
            &["read input 3..3 every 1s", "read holding 0..1 every 1s", "read holding 4..4 every 1s"],
        );
        check(
            "max_registers = 4",
            points,
            &["read input 3..3 every 1s", "read holding 0..1 every 1s", "read holding 4..4 every 1s"],
        );
    }

    #[test]
    fn plan_reads_a_slow_point_along_with_fast_ones() {
        check(
            "",
            "a = { register = 'holding:0', type = 'u16' }\nb = { register = 'holding:2', type = 'u16' }\nslow = { register = 'holding:1', type = 'u16', every = '10s' }\nfar = { register = 'holding:9', type = 'u16', every = '10s' }",
            &["read holding 0..2 every 1s", "read holding 9..9 every 10s"],
        );
    }

    #[test]
    fn plan_reads_a_value_with_its_factor() {
        let p = profile(
            "max_gap = 0",
            "v = { register = 'holding:10', type = 'u16', scale_from = 'sf' }\nsf = { register = 'holding:20', type = 'i16' }",
        );
        let requests = plan(&p, LineTiming::Tcp);
        assert_eq!(requests.len(), 1);
        assert_eq!((requests[0].start, requests[0].count), (10, 11));
    }

    #[test]
    fn plan_splits_at_the_widest_gap() {
        let p = profile(
            "",
            "a = { register = 'holding:0', type = 'u16' }\nb = { register = 'holding:1', type = 'u16' }\nc = { register = 'holding:40', type = 'u16' }",
        );
        let (left, right) = split(&plan(&p, LineTiming::Tcp)[0]).unwrap();
        assert_eq!((left.start, left.count, right.start, right.count), (0, 2, 40, 1));
        assert!(split(&right).is_none());
    }

    #[test]
    fn gaps_follow_the_line_as_in_the_field_notes() {
        let gap = |baud| LineTiming::Serial { baud, bits: 11 }.worthwhile_gap();
        assert_eq!((gap(9600), gap(19_200), gap(115_200)), (12, 14, 51));
    }

    proptest! {
        #[test]
        fn plan_covers_every_point_within_limits(
            registers in proptest::collection::btree_map(0u16..400, (0usize..4, 0usize..3), 1..60),
            max in 4u16..126, gap in proptest::option::of(0u16..20),
        ) {
            let kinds = ["u16", "f32", "f64", "u32"];
            let every = ["1s", "2s", "10s"];
            let mut text = String::new();
            for (i, (register, (kind, e))) in registers.iter().enumerate() {
                text += &format!("p{i} = {{ register = 'holding:{}', type = '{}', every = '{}' }}\n", register * 2, kinds[*kind], every[*e]);
            }
            let gap_line = gap.map_or(String::new(), |g| format!("max_gap = {g}"));
            let p = profile(&format!("max_registers = {max}\n{gap_line}"), &text);
            let requests = plan(&p, LineTiming::Serial { baud: 19_200, bits: 11 });
            prop_assert!(requests.len() <= p.points.len());
            let mut seen = vec![0; p.points.len()];
            for r in &requests {
                prop_assert!(r.count <= max);
                for x in &r.points {
                    let point = &p.points[x.point.0];
                    seen[x.point.0] += 1;
                    prop_assert_eq!(r.start + x.offset, point.register().unwrap().number);
                    prop_assert!(x.offset + x.width <= r.count);
                    prop_assert!(Some(r.every) <= point.every);
                }
            }
            prop_assert!(seen.iter().all(|n| *n == 1));
        }
    }
}
