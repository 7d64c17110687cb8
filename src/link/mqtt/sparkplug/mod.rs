//! Sparkplug B (3.0): births and aliases, data, gaps in the sequence, deaths as loss of communication, and rebirth
//! requests. The functions are pure. Any host application requests rebirths; a primary host (`sparkplug_host`) also
//! publishes its state.

mod payload;

use std::collections::BTreeMap;
use std::time::Duration;

use prost::Message;

use payload::{Metric, MetricValue, Payload, datatype};

use crate::link::Batch;
use crate::profile::{Place, Protocol, parse_json};
use crate::site::{Site, SparkplugId};
use crate::words::{EquipmentIndex, Mono, Now, PointIndex, Presence, Reading};

/// A message to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outgoing {
    pub topic: String,
    pub payload: Vec<u8>,
}

/// The minimum time between two rebirth requests to one node.
const REBIRTH_EVERY: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
struct Node {
    is_born: bool,
    seq: Option<u64>,
    birth: Option<u64>,
    /// Metric name and data type by device and alias. The device `None` is the node itself.
    aliases: BTreeMap<(Option<String>, u64), (String, Option<u32>)>,
    asked_at: Option<Now>,
    /// True if a birth is needed; it is requested when the minimum time has passed.
    is_wanted: bool,
}

impl Node {
    /// The time from which a birth may be requested.
    fn may_ask(&self) -> Mono {
        self.asked_at.map_or(Mono(0), |at| at.mono + REBIRTH_EVERY)
    }
}

/// All edge nodes with equipment on one broker.
#[derive(Debug)]
pub(super) struct Nodes {
    equipment: BTreeMap<SparkplugId, Vec<EquipmentIndex>>,
    nodes: BTreeMap<(String, String), Node>,
    troubles: Vec<&'static str>,
}

impl Nodes {
    pub(super) fn new(site: &Site, link: usize) -> Self {
        let mut equipment: BTreeMap<SparkplugId, Vec<EquipmentIndex>> = BTreeMap::new();
        let mut nodes = BTreeMap::new();
        for (index, e) in site.equipment.iter().enumerate().filter(|(_, e)| e.link == link) {
            if let Some(id) = e.sparkplug.as_ref().filter(|_| e.profile.protocol() == Protocol::Sparkplug) {
                equipment.entry(id.clone()).or_default().push(EquipmentIndex(index));
                nodes.insert((id.group.clone(), id.node.clone()), Node::default());
            }
        }
        Self { equipment, nodes, troubles: Vec::new() }
    }

    pub(super) fn filters(&self) -> Vec<String> {
        self.nodes
            .keys()
            .flat_map(|(group, node)| {
                [format!("spBv1.0/{group}/+/{node}"), format!("spBv1.0/{group}/+/{node}/+")]
            })
            .collect()
    }

    /// A host that has just connected knows no births, so it requests all of them.
    pub(super) fn connected(&mut self, at: Now) -> Vec<Outgoing> {
        let nodes = self.nodes.iter_mut();
        nodes
            .map(|((group, node), state)| {
                state.asked_at = Some(at);
                rebirth(group, node, at)
            })
            .collect()
    }

    /// The time of the next birth request; `None` if no birth is needed.
    pub(super) fn due(&self) -> Option<Mono> {
        self.nodes.values().filter(|n| n.is_wanted).map(Node::may_ask).min()
    }

    /// Requests the births whose time has come.
    pub(super) fn elapsed(&mut self, at: Now) -> Vec<Outgoing> {
        let due = self.nodes.iter_mut().filter(|(_, n)| n.is_wanted && n.may_ask() <= at.mono);
        due.map(|((group, node), state)| {
            state.asked_at = Some(at);
            state.is_wanted = false;
            rebirth(group, node, at)
        })
        .collect()
    }

    /// Returns the kinds of failure since the last call: gaps and unknown metrics.
    pub(super) fn take_troubles(&mut self) -> Vec<&'static str> {
        std::mem::take(&mut self.troubles)
    }

    /// Births may be missed from now on, so the meaning of aliases is forgotten.
    pub(super) fn disconnected(&mut self) {
        for node in self.nodes.values_mut() {
            *node = Node::default();
        }
    }

    pub(super) fn message(
        &mut self,
        site: &Site,
        topic: &str,
        payload: &[u8],
        at: Now,
    ) -> (Vec<Batch>, Vec<Outgoing>) {
        let parts: Vec<&str> = topic.split('/').collect();
        let (group, kind, node_id, device) = match parts.as_slice() {
            [_, group, kind, node] => (*group, *kind, *node, None),
            [_, group, kind, node, device] => (*group, *kind, *node, Some((*device).to_owned())),
            _ => return (Vec::new(), Vec::new()),
        };
        let key = (group.to_owned(), node_id.to_owned());
        let (Some(node), Ok(payload)) = (self.nodes.get_mut(&key), Payload::decode(payload)) else {
            return (Vec::new(), Vec::new());
        };
        let id = SparkplugId { group: key.0.clone(), node: key.1.clone(), device: device.clone() };
        let (values, asks) = match kind {
            "NBIRTH" => {
                *node = Node {
                    is_born: true,
                    birth: birth_number(&payload),
                    asked_at: node.asked_at,
                    ..Node::default()
                };
                (Some(node.born(None, &payload)), false)
            }
            "DBIRTH" if node.is_born => {
                let gap = node.out_of_step(&payload);
                self.troubles.extend(gap.then_some("sparkplug-gap"));
                (Some(node.born(device, &payload)), gap)
            }
            "NDATA" | "DDATA" => {
                let gap = node.out_of_step(&payload);
                let (values, is_known) = node.data(device.as_ref(), &payload);
                self.troubles.extend(gap.then_some("sparkplug-gap"));
                self.troubles.extend((!is_known).then_some("sparkplug-unknown-metric"));
                (Some(values), gap || !is_known)
            }
            "NDEATH" => {
                // A death of an older session does not concern the present one.
                if node.birth.is_some() && birth_number(&payload) != node.birth {
                    return (Vec::new(), Vec::new());
                }
                *node = Node { asked_at: node.asked_at, ..Node::default() };
                return (self.deaths(&id, true, at), Vec::new());
            }
            "DDEATH" => {
                let _gap = node.out_of_step(&payload);
                return (self.deaths(&id, false, at), Vec::new());
            }
            // If a device is born before its node, andon requests a rebirth. Commands and states of hosts are not
            // used.
            "DBIRTH" => (None, true),
            _ => (None, false),
        };
        node.is_wanted |= asks;
        let outgoing = self.elapsed(at);
        let batches = values.map_or_else(Vec::new, |values| self.batches(site, &id, &values, at));
        (batches, outgoing)
    }

    fn batches(
        &self,
        site: &Site,
        id: &SparkplugId,
        values: &BTreeMap<String, Option<serde_json::Value>>,
        at: Now,
    ) -> Vec<Batch> {
        let indexes = self.equipment.get(id).into_iter().flatten();
        indexes
            .filter_map(|index| {
                let e = site.equipment.get(index.0)?;
                let readings = e.profile.points.iter().enumerate().filter_map(|(p, point)| {
                    let Place::Metric(name) = &point.place else { return None };
                    let json = values.get(name)?.clone().unwrap_or(serde_json::Value::Null);
                    Some((PointIndex(p), Reading { value: parse_json(point, &json), at }))
                });
                let readings = readings.collect();
                Some(Batch {
                    at,
                    equipment: *index,
                    readings,
                    presence: Presence::Answered,
                    done: None,
                    site: 0,
                })
            })
            .collect()
    }

    /// The death of a node is also the death of all its devices.
    fn deaths(&self, id: &SparkplugId, is_node: bool, at: Now) -> Vec<Batch> {
        let dead = self.equipment.iter().filter(|(other, _)| {
            (other.group == id.group && other.node == id.node) && (is_node || other.device == id.device)
        });
        dead.flat_map(|(_, indexes)| indexes)
            .map(|index| Batch {
                at,
                equipment: *index,
                readings: Vec::new(),
                presence: Presence::Lost,
                done: None,
                site: 0,
            })
            .collect()
    }
}

impl Node {
    /// True if a message before this one is missing. Sequence numbers run from 0 to 255 and start again at 0.
    fn out_of_step(&mut self, payload: &Payload) -> bool {
        let gap = match (self.seq, payload.seq) {
            (Some(before), Some(seq)) => seq != (before + 1) % 256,
            _ => false,
        };
        self.seq = payload.seq.or(self.seq);
        gap
    }

    fn born(
        &mut self,
        device: Option<String>,
        payload: &Payload,
    ) -> BTreeMap<String, Option<serde_json::Value>> {
        self.seq = payload.seq;
        self.aliases.retain(|(d, _), _| *d != device);
        for metric in &payload.metrics {
            if let (Some(name), Some(alias)) = (&metric.name, metric.alias) {
                self.aliases.insert((device.clone(), alias), (name.clone(), metric.datatype));
            }
        }
        current(payload).filter_map(|m| Some((m.name.clone()?, m.json(None)))).collect()
    }

    /// Returns the values of a data message, and whether every metric in it was known.
    fn data(
        &self,
        device: Option<&String>,
        payload: &Payload,
    ) -> (BTreeMap<String, Option<serde_json::Value>>, bool) {
        let mut values = BTreeMap::new();
        let mut is_known = self.is_born;
        for metric in current(payload) {
            let by_alias = metric.alias.and_then(|a| self.aliases.get(&(device.cloned(), a)));
            match (&metric.name, by_alias) {
                (Some(name), _) if !name.is_empty() => {
                    values.insert(name.clone(), metric.json(None));
                }
                (_, Some((name, datatype))) => {
                    values.insert(name.clone(), metric.json(*datatype));
                }
                _ => is_known = false,
            }
        }
        (values, is_known)
    }
}

/// The metrics that are not historical. Historical values are only for a recorder.
fn current(payload: &Payload) -> impl Iterator<Item = &Metric> {
    payload.metrics.iter().filter(|m| m.is_historical != Some(true))
}

/// The metric `bdSeq`, which connects a death with its birth.
fn birth_number(payload: &Payload) -> Option<u64> {
    let metric = payload.metrics.iter().find(|m| m.name.as_deref() == Some("bdSeq"))?;
    match metric.value {
        Some(MetricValue::Long(n)) => Some(n),
        Some(MetricValue::Int(n)) => Some(n.into()),
        _ => None,
    }
}

fn rebirth(group: &str, node: &str, at: Now) -> Outgoing {
    let timestamp = u64::try_from(at.wall.millis()).ok();
    let metric = Metric {
        name: Some("Node Control/Rebirth".to_owned()),
        timestamp,
        datatype: Some(datatype::BOOLEAN),
        value: Some(MetricValue::Boolean(true)),
        ..Metric::default()
    };
    let payload = Payload { timestamp, metrics: vec![metric], seq: None };
    Outgoing { topic: format!("spBv1.0/{group}/NCMD/{node}"), payload: payload.encode_to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::testing::sparkplug;
    use crate::words::Wall;

    fn metric(name: Option<&str>, alias: Option<u64>, value: f64) -> Metric {
        Metric {
            name: name.map(str::to_owned),
            alias,
            datatype: Some(10),
            value: Some(MetricValue::Double(value)),
            ..Metric::default()
        }
    }

    fn birth_metric(number: u64) -> Metric {
        Metric {
            name: Some("bdSeq".to_owned()),
            datatype: Some(4),
            value: Some(MetricValue::Long(number)),
            ..Metric::default()
        }
    }

    struct World(Nodes, std::sync::Arc<Site>);

    impl World {
        fn new() -> Self {
            // `e` is the node g/n, `f` its device g/n/d; both have the metric Temp as their only point.
            let site = sparkplug("t = { metric = 'Temp', type = 'f64' }");
            Self(Nodes::new(&site, 0), site)
        }

        /// Returns the result of a message, and the number of rebirth requests.
        fn say(
            &mut self,
            kind: &str,
            device: &str,
            seq: Option<u64>,
            metrics: Vec<Metric>,
            second: u64,
        ) -> (Vec<String>, usize) {
            let at = Now { mono: Mono(second * 1_000_000_000), wall: Wall::from_millis(0) };
            let payload = Payload { timestamp: Some(1), metrics, seq }.encode_to_vec();
            let (batches, out) =
                self.0.message(&self.1, &format!("spBv1.0/g/{kind}/n{device}"), &payload, at);
            let text = batches.iter().map(|b| {
                let values: Vec<String> = b
                    .readings
                    .iter()
                    .map(|(_, r)| r.value.as_ref().map_or("bad".into(), ToString::to_string))
                    .collect();
                format!("{} {} {:?}", b.equipment.0, values.join(","), b.presence)
            });
            (text.collect(), out.len())
        }
    }

    #[test]
    fn births_data_by_alias_and_deaths() {
        let mut w = World::new();
        let born = vec![birth_metric(3), metric(Some("Temp"), Some(7), 20.5)];
        assert_eq!(w.say("NBIRTH", "", Some(0), born, 0), (vec!["0 20.5 Answered".into()], 0));
        let device = vec![metric(Some("Temp"), Some(7), 30.0)];
        assert_eq!(w.say("DBIRTH", "/d", Some(1), device, 0), (vec!["1 30 Answered".into()], 0));
        assert_eq!(w.say("DDATA", "/d", Some(2), vec![metric(None, Some(7), 31.0)], 1).0, ["1 31 Answered"]);
        assert_eq!(w.say("NDATA", "", Some(3), vec![metric(None, Some(7), 21.0)], 1).0, ["0 21 Answered"]);
        assert_eq!(w.say("DDEATH", "/d", Some(4), vec![], 2).0, ["1  Lost"]);
        assert_eq!(
            w.say("NDEATH", "", None, vec![birth_metric(2)], 3).0,
            Vec::<String>::new(),
            "an older will"
        );
        assert_eq!(w.say("NDEATH", "", None, vec![birth_metric(3)], 3).0, ["0  Lost", "1  Lost"]);
    }

    #[test]
    fn what_is_unknown_or_missing_asks_for_a_rebirth_but_not_too_often() {
        let mut w = World::new();
        assert_eq!(
            w.say("NDATA", "", Some(5), vec![metric(None, Some(7), 1.0)], 0).1,
            1,
            "no birth was heard"
        );
        assert_eq!(w.say("NDATA", "", Some(6), vec![metric(None, Some(7), 1.0)], 5).1, 0);
        assert_eq!(w.0.due(), Some(Mono(10_000_000_000)), "once the pause is over");
        assert_eq!(w.0.take_troubles(), ["sparkplug-unknown-metric", "sparkplug-unknown-metric"]);
        w.say("NBIRTH", "", Some(0), vec![birth_metric(0), metric(Some("Temp"), Some(7), 1.0)], 6);
        assert_eq!(w.say("NDATA", "", Some(1), vec![metric(None, Some(7), 2.0)], 20).1, 0);
        assert_eq!(
            w.say("NDATA", "", Some(3), vec![metric(None, Some(7), 3.0)], 21),
            (vec!["0 3 Answered".into()], 1)
        );
        assert_eq!(w.0.take_troubles(), ["sparkplug-gap"]);
        assert_eq!(w.say("NDATA", "", Some(4), vec![metric(None, Some(7), 3.0)], 40).1, 0);
    }

    #[test]
    fn a_gap_within_the_pause_is_asked_for_once_that_is_over() {
        let mut w = World::new();
        let at = |second: u64| Now { mono: Mono(second * 1_000_000_000), wall: Wall::from_millis(0) };
        assert_eq!(w.0.connected(at(0)).len(), 1, "the births are asked for, host or not");
        w.say("NBIRTH", "", Some(0), vec![birth_metric(0), metric(Some("Temp"), Some(7), 1.0)], 1);
        assert_eq!(w.say("NDATA", "", Some(5), vec![metric(None, Some(7), 2.0)], 4).1, 0);
        assert_eq!((w.0.due(), w.0.elapsed(at(9)).len()), (Some(at(10).mono), 0));
        assert_eq!((w.0.elapsed(at(10)).len(), w.0.due()), (1, None));
        // A birth that arrives by itself makes the request unnecessary.
        w.say("NDATA", "", Some(9), vec![metric(None, Some(7), 2.0)], 12);
        assert!(w.0.due().is_some());
        w.say("NBIRTH", "", Some(0), vec![birth_metric(1), metric(Some("Temp"), Some(7), 1.0)], 13);
        assert_eq!(w.0.due(), None);
    }

    #[test]
    fn sequence_numbers_wrap_and_history_is_no_reading() {
        let mut w = World::new();
        w.say("NBIRTH", "", Some(255), vec![birth_metric(0), metric(Some("Temp"), Some(7), 1.0)], 0);
        assert_eq!(w.say("NDATA", "", Some(0), vec![metric(None, Some(7), 2.0)], 1).1, 0);
        let old = Metric { is_historical: Some(true), ..metric(None, Some(7), 9.0) };
        assert_eq!(w.say("NDATA", "", Some(1), vec![old], 2).0, ["0  Answered"]);
        let null = Metric { is_null: Some(true), value: None, ..metric(None, Some(7), 0.0) };
        assert_eq!(w.say("NDATA", "", Some(2), vec![null], 3).0, ["0 bad Answered"]);
    }
}
