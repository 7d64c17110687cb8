//! Tests power failures, damaged files and full disks: andon loses nothing that it acknowledged, and reports the problem.

mod damage;
mod evidence;
mod extremes;
mod full_disk;
mod kill;
mod long_ticket;
mod made;
mod record;
mod vanish;

use std::fmt::Write as _;

use crate::support::Gateway;
use crate::support::manner::{Manner, MannerServer};

/// Returns a gateway whose equipment never answers. Each piece of equipment soon has a ticket for lost communication.
fn lost_equipment(gateway: Gateway, count: usize) -> Gateway {
    let port = MannerServer::start(|_| Manner::Silence).port;
    let mut site =
        format!("[[link]]\nname = \"nowhere\"\nkind = \"modbus-tcp\"\naddress = \"127.0.0.1:{port}\"\n");
    for i in 1..=count {
        write!(site, "[[equipment]]\nid = \"e{i}\"\nprofile = \"lost\"\nlink = \"nowhere\"\n").unwrap();
    }
    let points = "[points]\nx = { register = \"holding:0\", type = \"u16\" }\n";
    let text =
        format!("offline_after = \"300ms\"\n[device]\nvendor = \"v\"\nmodel = \"m\"\nkind = \"k\"\n{points}");
    gateway.file("device-profiles/lost.toml", &text).site(&site)
}

fn tickets(gateway: &Gateway, count: usize) {
    gateway.until("ticket list --json", |t| t.as_array().is_some_and(|t| t.len() == count));
}
