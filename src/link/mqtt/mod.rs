//! x
use super::LinkTask;
pub(super) async fn serve(_t: LinkTask) {}
