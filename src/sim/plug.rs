//! A metering plug with Tasmota firmware on a broker: its availability, its start-up message, and readings every two
//! seconds. The messages have the form of Tasmota's documentation, with a load that is switched on and off.

use std::time::Duration;

use rumqttc::{AsyncClient, LastWill, MqttOptions, QoS};

use super::wave::{Wave, WaveShape};
use crate::ambient::Clock;
use crate::words::Mono;

/// Publishes as the plug with this topic until the future is dropped.
pub async fn plug(host: String, port: u16, topic: String, clock: Clock) {
    const EVERY: Duration = Duration::from_secs(2);
    const RETRY: Duration = Duration::from_secs(1);
    let mut options = MqttOptions::new(format!("andon-sim-{topic}"), host, port);
    let will = format!("tele/{topic}/LWT");
    options.set_last_will(LastWill::new(&will, "Offline", QoS::AtLeastOnce, true));
    let (client, mut events) = AsyncClient::new(options, 16);
    let talk = async {
        let info = r#"{"Info1":{"Module":"Sonoff POW R2","Version":"13.3.0(tasmota)"}}"#;
        let first = [
            (will.clone(), true, "Online".to_owned()),
            (format!("tele/{topic}/INFO1"), false, info.to_owned()),
        ];
        for (topic, is_kept, payload) in first {
            // If the client is gone, the event loop ends too.
            let _queued = client.publish(topic, QoS::AtLeastOnce, is_kept, payload).await;
        }
        let load = Wave {
            shape: WaveShape::Sine,
            from: 650.0,
            to: 1150.0,
            period: Duration::from_secs(40),
            noise: 5.0,
        };
        loop {
            let power = load.at(clock.now().mono.since(Mono(0)), 7).max(0.0);
            let payload = format!(
                r#"{{"ENERGY":{{"Total":312.6,"Today":4.2,"Power":{power:.0},"Factor":0.97,"Voltage":229,"Current":{:.3}}}}}"#,
                power / 229.0 / 0.97
            );
            let _queued =
                client.publish(format!("tele/{topic}/SENSOR"), QoS::AtLeastOnce, false, payload).await;
            tokio::time::sleep(EVERY).await;
        }
    };
    let turn = async {
        loop {
            if events.poll().await.is_err() {
                tokio::time::sleep(RETRY).await;
            }
        }
    };
    tokio::join!(talk, turn);
}
