//! `GET /v1/links` and `/v1/links/{name}/plan`.

use axum::Json;
use axum::extract::{Path, State};

use super::{Answer, Failure, own_failure};
use crate::api::Gateway;
use crate::v1::{LinkV1, PlanV1};
use crate::view;
use crate::words::{Refusal, Rule};

pub(super) async fn links(State(g): State<Gateway>) -> Answer<Vec<LinkV1>> {
    Ok(Json(view::links(&g.site, &g.boards(), g.clock.now())))
}

pub(super) async fn link_plan(State(g): State<Gateway>, Path(name): Path<String>) -> Answer<PlanV1> {
    let at = find_link(&g, &name)?;
    let board = g.boards.get(at).map(|b| b.lock().clone());
    let plan = view::plan(&g.site, at, board.as_ref());
    Ok(Json(plan.ok_or_else(|| own_failure("the link is no longer configured".to_owned()))?))
}

pub(super) fn find_link(g: &Gateway, name: &str) -> Result<usize, Failure> {
    g.site.links.iter().position(|l| l.name.as_str() == name).ok_or_else(|| {
        Refusal::new(Rule::NoSuchEquipment, format!("link {name} is not in andon.toml"))
            .command("list the links", "andon link list")
            .into()
    })
}
