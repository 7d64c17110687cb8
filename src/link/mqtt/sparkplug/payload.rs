//! The Sparkplug B payload, declared from the tables of the specification (3.0, section 6.4.1). Fields that andon
//! does not use are skipped by their tag.

/// A payload.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Payload {
    #[prost(uint64, optional, tag = "1")]
    pub timestamp: Option<u64>,
    #[prost(message, repeated, tag = "2")]
    pub metrics: Vec<Metric>,
    #[prost(uint64, optional, tag = "3")]
    pub seq: Option<u64>,
}

/// A metric.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Metric {
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    #[prost(uint64, optional, tag = "2")]
    pub alias: Option<u64>,
    #[prost(uint64, optional, tag = "3")]
    pub timestamp: Option<u64>,
    #[prost(uint32, optional, tag = "4")]
    pub datatype: Option<u32>,
    #[prost(bool, optional, tag = "5")]
    pub is_historical: Option<bool>,
    #[prost(bool, optional, tag = "7")]
    pub is_null: Option<bool>,
    #[prost(oneof = "MetricValue", tags = "10, 11, 12, 13, 14, 15, 16")]
    pub value: Option<MetricValue>,
}

/// The value of a metric on the wire; data sets, templates and extensions are skipped.
#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum MetricValue {
    #[prost(uint32, tag = "10")]
    Int(u32),
    #[prost(uint64, tag = "11")]
    Long(u64),
    #[prost(float, tag = "12")]
    Float(f32),
    #[prost(double, tag = "13")]
    Double(f64),
    #[prost(bool, tag = "14")]
    Boolean(bool),
    #[prost(string, tag = "15")]
    Text(String),
    #[prost(bytes = "vec", tag = "16")]
    Bytes(Vec<u8>),
}

/// The data types of a metric (section 6.4.16).
pub(super) mod datatype {
    pub const INT8: u32 = 1;
    pub const INT16: u32 = 2;
    pub const INT32: u32 = 3;
    pub const INT64: u32 = 4;
    pub const BOOLEAN: u32 = 11;
}

impl Metric {
    /// The value as JSON, by its data type; `None` for null, bytes, data sets and templates.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "narrow integers are sent as wider ones in two's complement"
    )]
    pub(super) fn json(&self, datatype: Option<u32>) -> Option<serde_json::Value> {
        use serde_json::Value as Json;
        if self.is_null == Some(true) {
            return None;
        }
        Some(match (self.value.as_ref()?, datatype.or(self.datatype)) {
            (MetricValue::Int(i), Some(datatype::INT8)) => Json::from((*i as u8).cast_signed()),
            (MetricValue::Int(i), Some(datatype::INT16)) => Json::from((*i as u16).cast_signed()),
            (MetricValue::Int(i), Some(datatype::INT32)) => Json::from(i.cast_signed()),
            (MetricValue::Int(i), _) => Json::from(*i),
            (MetricValue::Long(l), Some(datatype::INT64)) => Json::from(l.cast_signed()),
            (MetricValue::Long(l), _) => Json::from(*l),
            // The shortest decimal text of the 32-bit value, as everywhere else.
            (MetricValue::Float(f), _) => Json::from(f.to_string().parse::<f64>().ok()?),
            (MetricValue::Double(d), _) => Json::from(*d),
            (MetricValue::Boolean(b), _) => Json::from(*b),
            (MetricValue::Text(t), _) => Json::from(t.clone()),
            (MetricValue::Bytes(_), _) => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;

    #[test]
    fn a_payload_by_hand() {
        // timestamp 1, one metric "T" of type Int16 with -5 (stored as 65531), seq 7.
        let bytes = [0x08, 1, 0x12, 9, 0x0A, 1, b'T', 0x20, 2, 0x50, 0xFB, 0xFF, 0x03, 0x18, 7];
        let payload = Payload::decode(&bytes[..]).unwrap();
        assert_eq!((payload.timestamp, payload.seq), (Some(1), Some(7)));
        assert_eq!(payload.metrics[0].name.as_deref(), Some("T"));
        assert_eq!(payload.metrics[0].json(None), Some(serde_json::json!(-5)));
    }

    #[test]
    fn values_by_type() {
        let metric =
            |value, datatype| Metric { value: Some(value), datatype: Some(datatype), ..Metric::default() };
        let json = |m: Metric| m.json(None);
        assert_eq!(json(metric(MetricValue::Int(255), datatype::INT8)), Some(serde_json::json!(-1)));
        assert_eq!(json(metric(MetricValue::Long(u64::MAX), datatype::INT64)), Some(serde_json::json!(-1)));
        assert_eq!(json(metric(MetricValue::Float(71.2), 9)), Some(serde_json::json!(71.2)));
        assert_eq!(json(Metric { is_null: Some(true), ..metric(MetricValue::Int(1), 3) }), None);
        assert_eq!(json(metric(MetricValue::Bytes(vec![1]), 17)), None);
        assert!(Payload::decode(&[0xFF, 0xFF][..]).is_err());
    }
}
