//! A reload of the configuration: unchanged equipment keeps its readings, delays and alarms; other equipment starts again.

use std::sync::Arc;

use super::{Change, Desk};
use crate::desk::command::Output;
use crate::detect::Detector;
use crate::gateway::GatewayEvent;
use crate::limits;
use crate::site::{FileHash, Site};
use crate::words::{Now, Refusal, Rule};

impl Desk {
    /// Records the files in force, if they differ from the recorded ones.
    pub(super) fn record_files(&mut self, now: Now) {
        let mut files = self.site.files.clone();
        if files.len() > limits::FILES_RECORDED_MAX {
            let all = files.len();
            files.truncate(limits::FILES_RECORDED_MAX);
            let name = format!("and {} more files", all - files.len());
            files.push(FileHash { name, sha256: String::new() });
        }
        if *self.state.gateway.files != files {
            self.machine_change(now, Change::Gateway(GatewayEvent::ConfigurationLoaded { files }));
        }
    }

    /// Continues with another site. An active alarm of changed equipment stays active until its condition becomes false. An
    /// alarm whose fault is no longer configured is withdrawn: it clears with a reason.
    pub(super) fn reloaded(&mut self, now: Now, site: Arc<Site>) {
        let before = std::mem::replace(&mut self.site, site.clone());
        let same = site.same_as(&before);
        let mut detector = Detector::new(site.clone(), now);
        detector.take_over(&self.detector, &same);
        self.detector = detector;
        let is_same = |id: &str| site.find(id).is_some_and(|(at, _)| same.iter().any(|(_, to)| *to == at));
        for ((equipment, fault), model) in &self.state.baselines.models {
            if !is_same(equipment.as_str()) {
                self.detector.restore_baseline(equipment.as_str(), fault.as_str(), model);
            }
        }
        for (check, _) in std::mem::take(&mut self.checks) {
            let refusal = Refusal::new(Rule::CheckUnanswered, "the configuration was loaded again meanwhile")
                .remedy("ask for the check again");
            self.outputs.push_back(Output::Reply(check.token, Box::new(Err(refusal))));
        }
        self.keep_suppressed(&site, is_same);
        self.forget_links();
        self.released_seq = None;
        self.record_files(now);
        self.restore_or_withdraw(now, |id| !is_same(id.as_str()));
    }
}
