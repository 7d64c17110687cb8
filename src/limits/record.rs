//! Limits of the journal, the ticket database and the API.

use std::time::Duration;

use super::{ms, secs};

// --- journal and store -------------------------------------------------------------------------

/// Bytes of a journal segment: at its start andon reads the last segment as a whole.
pub const SEGMENT_BYTES: u64 = 16 * 1024 * 1024;
/// Bytes of one journal line. No event is longer, because each of its fields is limited when it enters andon. JSON
/// writes up to six bytes for one byte of a text; `tests/it/bounds.rs` builds the longest events.
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
/// Longer: andon refuses the event before anything changes.
pub const LINE_BYTES_MAX: usize = 256 * 1024;
/// Writes that one fsync confirms.
pub const GROUP_COMMIT_MAX: usize = 1024;
/// Recent events that the feed keeps in memory. A follower that is further behind reads the files of the journal.
pub const FEED_RECENT: usize = 16_384;
/// Bytes of the lines of these events. More: the oldest are dropped.
pub const FEED_RECENT_BYTES: usize = 16 * 1024 * 1024;
/// Bytes of the lines that a follower reads from files in one step.
pub const FEED_BATCH_BYTES: usize = 32 * 1024 * 1024;
/// Events that a follower of the feed takes in one step.
pub const FEED_TURN: usize = 1024;
/// Bytes of a journal that is still checked as a whole at every start. The daemon checks the rest of a larger one
/// beside its work.
pub const CHECKED_AT_START_BYTES: u64 = 48 * 1024 * 1024;
/// Damaged parts of the journal that are recorded one by one. Only `andon audit verify` lists the others.
pub const DAMAGE_KEPT: usize = 1000;
/// Files in one event, each with its hash. More: the first ones, and the event contains the number of all files.
pub const FILES_RECORDED_MAX: usize = 1000;
/// Bytes of a text that the ticket database stores once for all its rows. Longer: each row stores the text.
pub const WORD_BYTES_MAX: usize = 200;
/// Texts that the ticket database stores once. More: each row stores the text.
pub const WORDS_KEPT: usize = 100_000;
/// Bytes of a finished ticket that is packed into a block with others. Longer: the ticket has its own rows.
pub const PACKED_BYTES_MAX: usize = 2 * 1024;
/// Alarm events in one row of the ticket database. Each event writes the last row again.
pub const ALARMS_A_BLOCK: usize = 128;
/// Bytes of a piece of the log of a ticket: each log line writes the last piece again. Full: a new piece starts.
pub const LOG_PIECE_BYTES: usize = 1024;
/// Bytes of disk space that the ticket database leaves to the journal. With less space the database waits: it can be
/// rebuilt, the journal cannot.
pub const STORE_ROOM_MIN: u64 = 4 * 1024 * 1024;
/// The longest time for one step of the ticket database. Then andon abandons its thread as hanging.
pub const STORE_HANG_MAX: Duration = secs(120);
/// Hanging threads of the ticket database that andon abandons. Then the database stays closed until the next start,
/// and `status` reports it.
pub const STORE_GIVEN_UP_MAX: u32 = 3;
/// The interval at which the ticket database is flushed to disk while events arrive. After a power failure andon
/// reads the rest from the journal.
pub const STORE_FLUSH_EVERY: Duration = secs(1);
/// Events in one transaction of the ticket database while it catches up. Three such batches are in memory at once.
pub const STORE_BATCH_MAX: usize = 32_768;
/// Events in one transaction of the ticket database while the daemon works: until its end, sled keeps an old copy of
/// every page that the transaction changed.
pub const STORE_FOLLOW_MAX: usize = 512;
/// The time in which the ticket database must open. Then andon moves it aside. A large database gets more time, see
/// `store`.
pub const STORE_OPEN_MAX: Duration = secs(4);
/// Bytes per second: the slowest expected speed of opening the ticket database.
pub const STORE_OPEN_BYTES_PER_SECOND: u64 = 64 * 1024 * 1024;
/// The longest time that the check of the ticket database can delay the start. The checksums of sled protect the part
/// that is not reached.
pub const STORE_CHECK_MAX: Duration = ms(500);
/// Bytes of memory that sled can use.
pub const STORE_CACHE_BYTES: u64 = 32 * 1024 * 1024;
/// Steps of the thread of the ticket database (one second each, if nothing happens) before a failed database is
/// opened again.
pub const STORE_RETRY_STEPS: u32 = 3;
/// The interval of the attempts to take the lock of the data directory.
pub const LOCK_LOOK_EVERY: Duration = ms(50);
/// The time that a stopping daemon waits until its last events are on disk.
pub const STOP_MAX: Duration = secs(5);
/// The pause before the task of a link that panicked starts again.
pub const LINK_RESTART: Duration = secs(1);
/// Reloads that wait for the reload in progress. Full: the caller waits.
pub const RELOADS_QUEUED_MAX: usize = 4;
/// The time that a query waits until the ticket database has reached the end of the journal.
pub const STORE_CATCH_UP_MAX: Duration = secs(5);
/// The time that a starting daemon waits for a command that uses the data directory.
pub const LOCK_WAIT_MAX: Duration = secs(10);

// --- api ---------------------------------------------------------------------------------------

/// Queries of single tickets that run at the same time. Lists, reports and checks of the journal run one at a time
/// each.
pub const QUICK_AT_ONCE: usize = 2;
/// Waiting queries of one kind. More: refused.
pub const HEAVY_WAITING_MAX: usize = 128;
/// The time that the answer to a change waits for the ticket database. Then the answer leaves out the parts that only
/// the database has.
pub const REPLY_WAITS_MAX: Duration = ms(500);
/// The largest difference in the period for which andon answers a report from memory, if no event was recorded since.
pub const REPORT_KEPT_FOR: Duration = secs(60);
/// Bytes of the body of a request. Larger: refused.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// Default of the number of tickets in one answer.
pub const LIST_DEFAULT: usize = 200;
/// The most tickets in one answer.
pub const LIST_MAX: usize = 100_000;
/// Tickets that a text search reads: about one second of work.
pub const SEARCH_MAX: usize = 200_000;
/// The time that the CLI waits for a connection to the gateway. Then: exit code 5.
pub const CLIENT_CONNECT_MAX: Duration = secs(3);
/// The time that the CLI waits for the beginning of an answer, and for each further part. Then: exit code 5. It is
/// longer than [`REQUEST_MAX`], after which a gateway that is full of idle connections has room again.
pub const CLIENT_ANSWER_MAX: Duration = secs(20);
/// The time that the CLI waits for a long answer: verifying the whole journal, a long history, a scan.
pub const CLIENT_LONG_ANSWER_MAX: Duration = secs(900);
/// The time after which the CLI tells the person at the terminal that it is waiting.
pub const CLIENT_QUIET_MAX: Duration = secs(2);
/// Connections to the gateway at the same time. More: they wait until another one is closed; idle ones are closed
/// earlier.
pub const CONNECTIONS_MAX: usize = 64;
/// The least number of connections, even if the system allows few file descriptors.
pub const CONNECTIONS_MIN: usize = 4;
/// File descriptors that the daemon keeps for its own work: ports, files, the journal. Connections get half of the
/// rest.
pub const DESCRIPTORS_OWN: u64 = 24;
/// The time that a connection has for one whole request. Longer: closed.
pub const REQUEST_MAX: Duration = secs(10);
/// The time that a connection can be idle between two requests, or leave an answer unread. Longer: closed.
pub const CONNECTION_IDLE_MAX: Duration = secs(30);
/// The time that a connection can be idle while another one waits for room. Longer: closed.
pub const CONNECTION_IDLE_CROWDED: Duration = secs(1);
/// The interval at which andon looks for idle connections.
pub const CONNECTION_LOOK_EVERY: Duration = ms(500);
/// The pause of a socket that cannot accept a connection because no file descriptor is free.
pub const ACCEPT_AGAIN_AFTER: Duration = ms(50);
/// Bytes of the path of a Unix socket: the limit of the system. A longer path is opened through its directory.
pub const SOCKET_PATH_MAX: usize = 107;
