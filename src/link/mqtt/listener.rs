//! Converts messages to readings: finds the equipment of a topic and the points in its payload. The functions are
//! pure.
//!
//! A retained message gives a reading only if its point has not yet had a live message. An availability message
//! reports that equipment is offline or back; any live message shows that the equipment is online.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::sparkplug::{Nodes, Outgoing};
use crate::link::Batch;
use crate::profile::{Place, fits, parse_payload};
use crate::site::{Equipment, Site};
use crate::words::{EquipmentIndex, Mono, Now, PointIndex, Presence, Reading};

#[derive(Debug, Clone, PartialEq)]
enum Meaning {
    Value(EquipmentIndex, PointIndex, Option<String>),
    Availability(EquipmentIndex, String, String),
}

/// The topics of all equipment on one broker.
#[derive(Debug)]
pub(super) struct Listener {
    site: Arc<Site>,
    /// The meanings of topics without wildcards.
    exact: BTreeMap<String, Vec<Meaning>>,
    /// The meanings of topic filters with wildcards.
    wild: Vec<(String, Meaning)>,
    /// Points (equipment, point) that had a live message since the connection was opened.
    live: BTreeSet<(usize, usize)>,
    /// Equipment that its availability topic reports as offline.
    away: BTreeSet<usize>,
    nodes: Nodes,
}

impl Listener {
    pub(super) fn new(site: Arc<Site>, link: usize) -> Self {
        let mut out = Self {
            nodes: Nodes::new(&site, link),
            exact: BTreeMap::new(),
            wild: Vec::new(),
            live: BTreeSet::new(),
            away: BTreeSet::new(),
            site: site.clone(),
        };
        for (index, e) in site.equipment.iter().enumerate().filter(|(_, e)| e.link == link) {
            out.add(EquipmentIndex(index), e);
        }
        out
    }

    fn add(&mut self, index: EquipmentIndex, e: &Equipment) {
        for (p, point) in e.profile.points.iter().enumerate() {
            if let Place::Topic { filter, pointer } = &point.place {
                self.note(e.topic_of(filter), Meaning::Value(index, PointIndex(p), pointer.clone()));
            }
        }
        if let Some(a) = &e.profile.mqtt.availability {
            let meaning = Meaning::Availability(index, a.online.clone(), a.offline.clone());
            self.note(e.topic_of(&a.topic), meaning);
        }
    }

    fn note(&mut self, filter: String, meaning: Meaning) {
        if filter.contains(['+', '#']) {
            self.wild.push((filter, meaning));
        } else {
            self.exact.entry(filter).or_default().push(meaning);
        }
    }

    /// All topic filters to subscribe, each once.
    pub(super) fn filters(&self) -> BTreeSet<String> {
        let own = self.exact.keys().cloned().chain(self.wild.iter().map(|(filter, _)| filter.clone()));
        own.chain(self.nodes.filters()).collect()
    }

    /// The time when [`Self::elapsed`] must be called; `None` if never.
    pub(super) fn due(&self) -> Option<Mono> {
        self.nodes.due()
    }

    /// Returns the messages to publish because time has passed.
    pub(super) fn elapsed(&mut self, at: Now) -> Vec<Outgoing> {
        self.nodes.elapsed(at)
    }

    /// Returns the kinds of failure since the last call.
    pub(super) fn take_troubles(&mut self) -> Vec<&'static str> {
        self.nodes.take_troubles()
    }

    /// Returns the messages to publish on a new connection.
    pub(super) fn connected(&mut self, at: Now) -> Vec<Outgoing> {
        self.nodes.connected(at)
    }

    /// Live messages may be missed from now on, so retained messages count again.
    pub(super) fn disconnected(&mut self) {
        self.live.clear();
        self.nodes.disconnected();
    }

    /// Converts a message. Returns its readings, and the messages to publish in response.
    pub(super) fn message(
        &mut self,
        topic: &str,
        payload: &[u8],
        retain: bool,
        at: Now,
    ) -> (Vec<Batch>, Vec<Outgoing>) {
        if topic.starts_with("spBv1.0/") {
            return self.nodes.message(&self.site, topic, payload, at);
        }
        let wild = self.wild.iter().filter(|(filter, _)| fits(topic, filter)).map(|(_, m)| m);
        let meanings: Vec<Meaning> =
            self.exact.get(topic).into_iter().flatten().chain(wild).cloned().collect();
        let mut found: BTreeMap<usize, Batch> = BTreeMap::new();
        for meaning in meanings {
            match meaning {
                Meaning::Availability(equipment, online, offline) => {
                    let text = String::from_utf8_lossy(payload);
                    let presence = match text.trim() {
                        t if t == offline => Presence::Lost,
                        t if t == online => Presence::Answered,
                        _ => continue,
                    };
                    if presence == Presence::Lost {
                        self.away.insert(equipment.0);
                    } else {
                        self.away.remove(&equipment.0);
                    }
                    batch(&mut found, equipment, at).presence = presence;
                }
                Meaning::Value(equipment, index, pointer) => {
                    if retain && self.live.contains(&(equipment.0, index.0)) {
                        continue;
                    }
                    if !retain {
                        self.live.insert((equipment.0, index.0));
                        self.away.remove(&equipment.0);
                    }
                    let point =
                        self.site.equipment.get(equipment.0).and_then(|e| e.profile.points.get(index.0));
                    let Some(point) = point else { continue };
                    // If the age of a value matters (`stale_after`), a retained value of unknown age is not used.
                    if retain && point.stale_after.is_some() {
                        continue;
                    }
                    let value = parse_payload(point, payload, pointer.as_deref());
                    let is_away = self.away.contains(&equipment.0);
                    let b = batch(&mut found, equipment, at);
                    b.readings.extend(value.map(|value| (index, Reading { value, at })));
                    if !is_away && b.presence == Presence::NoAnswer {
                        b.presence = if retain { Presence::Retained } else { Presence::Answered };
                    }
                }
            }
        }
        (found.into_values().collect(), Vec::new())
    }
}

fn batch(found: &mut BTreeMap<usize, Batch>, equipment: EquipmentIndex, at: Now) -> &mut Batch {
    found.entry(equipment.0).or_insert_with(|| Batch {
        at,
        equipment,
        readings: Vec::new(),
        presence: Presence::NoAnswer,
        done: None,
        site: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::testing::listened;
    use crate::words::Wall;

    const POINTS: &str = "power = { topic = 'tele/{id}/SENSOR', pointer = '/ENERGY/Power', type = 'f64' }\n\
        state = { topic = 'stat/{id}/+', type = 'bool' }";
    const REST: &str =
        "[mqtt]\navailability = { topic = 'tele/{id}/LWT', online = 'Online', offline = 'Offline' }";

    fn listener() -> Listener {
        Listener::new(listened(POINTS, REST), 0)
    }

    /// The result of a message as text: equipment, readings, presence.
    fn said(l: &mut Listener, topic: &str, payload: &str, retain: bool) -> Vec<String> {
        let at = Now { mono: Mono(0), wall: Wall::from_millis(0) };
        let (batches, _) = l.message(topic, payload.as_bytes(), retain, at);
        batches
            .iter()
            .map(|b| {
                let values: Vec<String> = b
                    .readings
                    .iter()
                    .map(|(p, r)| {
                        format!(
                            "{}={}",
                            p.0,
                            r.value.as_ref().map_or_else(|e| format!("bad {e}"), ToString::to_string)
                        )
                    })
                    .collect();
                format!("{} {} {:?}", b.equipment.0, values.join(","), b.presence)
            })
            .collect()
    }

    #[test]
    fn topics_of_two_pieces_of_equipment() {
        let mut l = listener();
        assert_eq!(l.filters().len(), 6);
        assert_eq!(
            said(&mut l, "tele/e/SENSOR", r#"{"ENERGY":{"Power":12.5}}"#, false),
            ["0 0=12.5 Answered"]
        );
        assert_eq!(said(&mut l, "stat/f/POWER", "ON", false), ["1 1=true Answered"]);
        assert_eq!(said(&mut l, "stat/g/POWER", "ON", false), Vec::<String>::new());
        let bad = said(&mut l, "tele/e/SENSOR", r#"{"ENERGY":{}}"#, false);
        assert_eq!(bad, ["0 0=bad the payload has nothing at /ENERGY/Power Answered"]);
        assert_eq!(
            said(&mut l, "tele/e/SENSOR", "nonsense", false),
            ["0 0=bad the payload is not JSON Answered"]
        );
    }

    #[test]
    fn a_retained_message_counts_only_before_a_live_one() {
        let mut l = listener();
        assert_eq!(said(&mut l, "stat/e/POWER", "ON", true), ["0 1=true Retained"]);
        assert_eq!(said(&mut l, "stat/e/POWER", "OFF", false), ["0 1=false Answered"]);
        assert_eq!(said(&mut l, "stat/e/POWER", "ON", true), Vec::<String>::new());
        l.disconnected();
        assert_eq!(said(&mut l, "stat/e/POWER", "ON", true), ["0 1=true Retained"]);
    }

    #[test]
    fn a_retained_message_is_no_reading_where_age_counts() {
        let points = "level = { topic = '{id}/level', type = 'f64', stale_after = '10s' }";
        let mut l = Listener::new(listened(points, ""), 0);
        assert_eq!(said(&mut l, "e/level", "5", true), Vec::<String>::new());
        assert_eq!(said(&mut l, "e/level", "6", false), ["0 0=6 Answered"]);
    }

    #[test]
    fn availability_and_life() {
        let mut l = listener();
        assert_eq!(said(&mut l, "tele/e/LWT", "Offline", true), ["0  Lost"]);
        assert_eq!(
            said(&mut l, "stat/e/POWER", "ON", true),
            ["0 1=true NoAnswer"],
            "old news do not bring it back"
        );
        assert_eq!(said(&mut l, "tele/e/LWT", "Online", false), ["0  Answered"]);
        assert_eq!(said(&mut l, "tele/e/LWT", "Offline", false), ["0  Lost"]);
        assert_eq!(said(&mut l, "stat/e/POWER", "ON", false), ["0 1=true Answered"]);
        assert_eq!(said(&mut l, "tele/e/LWT", "perhaps", false), Vec::<String>::new());
    }
}
