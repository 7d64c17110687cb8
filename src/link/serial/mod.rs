//! Text protocols of one device on a serial line: requests with their responses, and lines that the device sends by
//! itself.
//!
//! After a timeout no request is sent until the late response has arrived or another timeout has passed, because a
//! line does not show which request it answers (test: `a_late_answer_is_not_taken_for_the_next_one`).

mod session;
mod task;

pub(super) use task::serve;
