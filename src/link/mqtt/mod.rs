//! A broker's topics, and Sparkplug B on them: listened to, subscribed anew on every connection, acknowledged once
//! what a message caused is on disk.
//!
//! `listener` and `sparkplug` are pure: topic, payload and time in, readings out. rumqttc stands behind `broker`,
//! which mends what it is known for: back-off of its own, a watchdog, refused subscriptions, limits.

mod broker;
mod heard;
mod listener;
mod sparkplug;
mod task;

pub use heard::{HeardTopic, heard};
pub(super) use task::serve;
