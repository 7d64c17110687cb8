//! Line protocols of one device on a serial line: questions and answers, and lines that come unasked.
//!
//! After an unanswered question nothing is asked until its answer has come or as long again has passed: nothing in a
//! line says which question it answers (test: `a_late_answer_is_not_taken_for_the_next_one`).

mod session;
mod task;

pub(super) use task::serve;
