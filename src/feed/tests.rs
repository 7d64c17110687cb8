//! The ticket database.
