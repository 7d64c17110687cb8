//! MQTT topics and Sparkplug B. andon subscribes again on every connection, and acknowledges a message when
//! everything that the message caused is on disk.
//!
//! `listener` and `sparkplug` are pure: they turn topic, payload and time into readings. Only `broker` uses the crate
//! rumqttc. It adds waiting times between attempts, a watchdog, the handling of refused subscriptions, and limits.

mod broker;
mod heard;
mod listener;
mod sparkplug;
mod task;

pub use heard::{HeardTopic, heard};
pub(super) use task::serve;
