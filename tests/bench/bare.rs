//! A plain loop for comparison: one tokio-modbus task for each device reads its blocks every second and ignores the values.

use std::time::Duration;

use tokio_modbus::client::{Reader, tcp};
use tokio_modbus::slave::Slave;

/// Reads forever. The first argument is the list of blocks, `start+count,..`; the other arguments are the addresses of the
/// devices.
pub fn run(args: &[String]) {
    let (blocks, addresses) = args.split_first().unwrap();
    let blocks: Vec<(u16, u16)> = blocks
        .split(',')
        .map(|block| {
            let (start, count) = block.split_once('+').unwrap();
            (start.parse().unwrap(), count.parse().unwrap())
        })
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for address in addresses {
            let address = address.parse().unwrap();
            let blocks = blocks.clone();
            tasks.spawn(async move {
                let mut client = tcp::connect_slave(address, Slave(1)).await.unwrap();
                let mut ticks = tokio::time::interval(Duration::from_secs(1));
                loop {
                    ticks.tick().await;
                    for (start, count) in &blocks {
                        let words = client.read_holding_registers(*start, *count).await.unwrap().unwrap();
                        assert_eq!(words.len(), usize::from(*count));
                    }
                }
            });
        }
        tasks.join_next().await;
    });
}
