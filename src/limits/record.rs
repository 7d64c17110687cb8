//! Bounds of the journal, the ticket database and the API.

use std::time::Duration;

use super::{ms, secs};

// --- journal and store -------------------------------------------------------------------------

/// Bytes of a journal segment: start reads the last one whole.
pub const SEGMENT_BYTES: u64 = 16 * 1024 * 1024;
/// Bytes of one journal line. No event is longer, because each of its fields has a bound where it enters. JSON writes
/// up to six bytes for one byte of a text; `tests/it/bounds.rs` builds the longest events.
///
/// | field | bounded by | JSON at most |
/// |---|---|---|
/// | ids: equipment, fault, step, point, profile, firmware note | [`ID_BYTES_MAX`], plain letters | 50 B |
/// | `values` of an alarm, a ticket, a step's answer | [`POINTS_NAMED_MAX`] names of two ids, [`TOLD_VALUE_BYTES_MAX`] each; functions over time by [`EXPRESSION_BYTES_MAX`] | 140 KiB |
/// | `summary` of a ticket: what a fault means, and the unlisted code or the ranked points | [`PROSE_BYTES_MAX`], [`TOLD_VALUE_BYTES_MAX`] | 14 KiB |
/// | `code` | [`KEY_BYTES_MAX`], digits | 258 B |
/// | `firmware` | [`TEXT_VALUE_BYTES_MAX`], or [`NAME_BYTES_MAX`] as written down | 6 KiB |
/// | `firmware_notes`, `files` of a loaded configuration | [`FILES_MAX`] names of an id, each file with its SHA-256 | 55 KiB, 170 KiB |
/// | `question` of a step; `reason` of an alarm that is suppressed by design | [`PROSE_BYTES_MAX`] or [`EXPRESSION_BYTES_MAX`] | 25 KiB |
/// | `finding` of a step | [`PROSE_BYTES_MAX`] | 12 KiB |
/// | `model` of a baseline: numbers | [`BASELINE_POINTS_MAX`], and three times its square | 22 KiB |
/// | `definition` of a baseline: points, `while`, `cycle` | [`BASELINE_POINTS_MAX`], [`EXPRESSION_BYTES_MAX`] twice | 50 KiB |
/// | `value`, `before` of a write | a number or [`NAME_BYTES_MAX`], with a unit; [`TOLD_VALUE_BYTES_MAX`] | 3 KiB |
/// | `name` of the gateway | [`NAME_BYTES_MAX`] | 770 B |
/// | a note, reason, cause, action | [`TEXT_BYTES_MAX`] | 48 KiB |
/// | everything that one command says together | [`BODY_BYTES_MAX`], as JSON already | 64 KiB |
///
/// Longer: the event is refused before it is decided.
pub const LINE_BYTES_MAX: usize = 256 * 1024;
/// Writes that one fsync acknowledges.
pub const GROUP_COMMIT_MAX: usize = 1024;
/// The last records that the feed keeps in memory. Who is further behind reads the journal's files.
pub const FEED_RECENT: usize = 16_384;
/// The bytes of their lines. More: the oldest are let go.
pub const FEED_RECENT_BYTES: usize = 16 * 1024 * 1024;
/// The bytes of lines that are read from files at a time.
pub const FEED_BATCH_BYTES: usize = 32 * 1024 * 1024;
/// Records that a follower of the feed takes in at a time.
pub const FEED_TURN: usize = 1024;
/// Journals up to this size are checked whole at every start; of larger ones the daemon checks the rest beside its work.
pub const CHECKED_AT_START_BYTES: u64 = 48 * 1024 * 1024;
/// Damaged parts of the journal that are recorded one by one. Further ones are told by `andon audit verify` alone.
pub const DAMAGE_KEPT: usize = 1000;
/// Files whose hashes one event names. More: the first ones, and the event says how many there are.
pub const FILES_RECORDED_MAX: usize = 1000;
/// Bytes of a text that the ticket database keeps once for all its rows. Longer: it stands in each row.
pub const WORD_BYTES_MAX: usize = 200;
/// Texts that the ticket database keeps once. More: further ones stand in each row.
pub const WORDS_KEPT: usize = 100_000;
/// Bytes of a finished ticket that is packed into a block with others. Longer ones keep rows of their own.
pub const PACKED_BYTES_MAX: usize = 2 * 1024;
/// Events of alarms in a row of the ticket database. The last row is written anew for each event.
pub const ALARMS_A_BLOCK: usize = 128;
/// Bytes of a piece of a ticket's log: what is written anew for each line. Full: a new piece is begun.
pub const LOG_PIECE_BYTES: usize = 1024;
/// Room on the disk that the ticket database leaves to the journal. With less it waits: it can be rebuilt, the journal cannot.
pub const STORE_ROOM_MIN: u64 = 4 * 1024 * 1024;
/// How long one step of the ticket database may take before its thread is given up as hanging.
pub const STORE_HANG_MAX: Duration = secs(120);
/// Hanging threads of the ticket database that are given up. Then it stays away until the next start, and `status` says so.
pub const STORE_GIVEN_UP_MAX: u32 = 3;
/// How often the ticket database is made durable while records come; after a power cut the rest is read from the journal.
pub const STORE_FLUSH_EVERY: Duration = secs(1);
/// Records that one store transaction applies while it catches up. Three such batches are in memory at once.
pub const STORE_BATCH_MAX: usize = 32_768;
/// Records that one store transaction applies while the daemon works: sled keeps every page that a transaction changed, as it
/// was, until its end.
pub const STORE_FOLLOW_MAX: usize = 512;
/// How long opening the store may take before it is moved aside; a large one gets more, see `store`.
pub const STORE_OPEN_MAX: Duration = secs(4);
/// Bytes a second that opening a store is expected to manage at least.
pub const STORE_OPEN_BYTES_PER_SECOND: u64 = 64 * 1024 * 1024;
/// How long the check of the store's content may hold up the start. What it does not reach is covered by sled's
/// own checksums alone.
pub const STORE_CHECK_MAX: Duration = ms(500);
/// Bytes of memory sled may keep.
pub const STORE_CACHE_BYTES: u64 = 32 * 1024 * 1024;
/// Steps of the ticket database's thread, of a second when nothing happens, before a store that failed is opened again.
pub const STORE_RETRY_STEPS: u32 = 3;
/// How long one tries to take the data directory's lock between two looks.
pub const LOCK_LOOK_EVERY: Duration = ms(50);
/// How long a stopping daemon waits for its last events to be on disk.
pub const STOP_MAX: Duration = secs(5);
/// How long the task of a link that panicked rests before it is started again.
pub const LINK_RESTART: Duration = secs(1);
/// Reloads that wait for the one under way. Full: the asker waits.
pub const RELOADS_QUEUED_MAX: usize = 4;
/// How long a query waits for the store to reach the journal's end.
pub const STORE_CATCH_UP_MAX: Duration = secs(5);
/// How long a starting daemon waits for a command that holds the data directory.
pub const LOCK_WAIT_MAX: Duration = secs(10);

// --- api ---------------------------------------------------------------------------------------

/// Questions for single tickets that are answered at once. Of lists, reports and checks of the journal it is one each.
pub const QUICK_AT_ONCE: usize = 2;
/// Questions of a kind that wait. More: refused.
pub const HEAVY_WAITING_MAX: usize = 128;
/// How long the answer to a change waits for the ticket database before it is given without what is only there.
pub const REPLY_WAITS_MAX: Duration = ms(500);
/// A report is answered from memory when nothing has been recorded since and its period differs by less than this.
pub const REPORT_KEPT_FOR: Duration = secs(60);
/// Bytes of a request's body. Larger: refused.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// Tickets in one answer, unless the asker says.
pub const LIST_DEFAULT: usize = 200;
/// Tickets in one answer at most.
pub const LIST_MAX: usize = 100_000;
/// Tickets a text search looks at: about a second of work.
pub const SEARCH_MAX: usize = 200_000;
/// How long the CLI waits for the gateway to take a connection. Then: exit code 5.
pub const CLIENT_CONNECT_MAX: Duration = secs(3);
/// How long the CLI waits for the beginning of an answer, and for each further part of it. Then: exit code 5. It is
/// longer than [`REQUEST_MAX`], after which a gateway full of quiet connections has room again.
pub const CLIENT_ANSWER_MAX: Duration = secs(20);
/// How long the CLI waits for an answer that takes its time: the whole journal verified, a long history, a scan.
pub const CLIENT_LONG_ANSWER_MAX: Duration = secs(900);
/// How long the CLI waits without a word. Then it tells on a terminal what it waits for.
pub const CLIENT_QUIET_MAX: Duration = secs(2);
/// Connections to the gateway at once. More: they wait until one has gone, and quiet ones go sooner.
pub const CONNECTIONS_MAX: usize = 64;
/// Connections to the gateway at once, however few descriptors the system gives.
pub const CONNECTIONS_MIN: usize = 4;
/// Descriptors that the daemon keeps for its own work: ports, files, the journal. Connections get half of the rest.
pub const DESCRIPTORS_OWN: u64 = 24;
/// How long a connection has for one whole request. Longer: closed.
pub const REQUEST_MAX: Duration = secs(10);
/// How long a connection may be quiet between two requests, or leave an answer unread. Longer: closed.
pub const CONNECTION_IDLE_MAX: Duration = secs(30);
/// How long a connection may be quiet while another one waits for room. Longer: closed.
pub const CONNECTION_IDLE_CROWDED: Duration = secs(1);
/// How often a connection is looked at for being quiet.
pub const CONNECTION_LOOK_EVERY: Duration = ms(500);
/// How long a socket that cannot take a connection rests: no descriptor is free.
pub const ACCEPT_AGAIN_AFTER: Duration = ms(50);
/// Bytes of a Unix socket's path: the system's own limit. Longer: named through its directory.
pub const SOCKET_PATH_MAX: usize = 107;
