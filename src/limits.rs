//! Every bound of the program: value, unit, why, and what happens at it.
//!
//! A site may set a value only between two limits of this page; nowhere else stands a literal capacity,
//! timeout, retry or size.

mod record;

use std::time::Duration;

pub use record::{
    ACCEPT_AGAIN_AFTER, ALARMS_A_BLOCK, BODY_BYTES_MAX, CHECKED_AT_START_BYTES, CLIENT_ANSWER_MAX,
    CLIENT_CONNECT_MAX, CLIENT_LONG_ANSWER_MAX, CLIENT_QUIET_MAX, CONNECTION_IDLE_CROWDED,
    CONNECTION_IDLE_MAX, CONNECTION_LOOK_EVERY, CONNECTIONS_MAX, CONNECTIONS_MIN, DAMAGE_KEPT,
    DESCRIPTORS_OWN, FEED_BATCH_BYTES, FEED_RECENT, FEED_RECENT_BYTES, FEED_TURN, FILES_RECORDED_MAX,
    GROUP_COMMIT_MAX, HEAVY_WAITING_MAX, LINE_BYTES_MAX, LINK_RESTART, LIST_DEFAULT, LIST_MAX,
    LOCK_LOOK_EVERY, LOCK_WAIT_MAX, LOG_PIECE_BYTES, PACKED_BYTES_MAX, QUICK_AT_ONCE, RELOADS_QUEUED_MAX,
    REPLY_WAITS_MAX, REPORT_KEPT_FOR, REQUEST_MAX, SEARCH_MAX, SEGMENT_BYTES, SOCKET_PATH_MAX, STOP_MAX,
    STORE_BATCH_MAX, STORE_CACHE_BYTES, STORE_CATCH_UP_MAX, STORE_CHECK_MAX, STORE_FLUSH_EVERY,
    STORE_FOLLOW_MAX, STORE_GIVEN_UP_MAX, STORE_HANG_MAX, STORE_OPEN_BYTES_PER_SECOND, STORE_OPEN_MAX,
    STORE_RETRY_STEPS, STORE_ROOM_MIN, WORD_BYTES_MAX, WORDS_KEPT,
};

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

// --- words -------------------------------------------------------------------------------------

/// Bytes of an identifier: fits a table column and a file name. Longer: refused.
pub const ID_BYTES_MAX: usize = 48;

/// Bytes of a point's text value: a display's line or a nameplate, several times. Longer: a bad reading. Whatever is
/// judged by it and told of it, in an event too, is bounded by this.
pub const TEXT_VALUE_BYTES_MAX: usize = 1024;

// --- files people write ------------------------------------------------------------------------

/// Bytes of a configuration or profile file. Larger: refused before it is parsed.
pub const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Points of one profile: twice the largest known SunSpec device. More: refused.
pub const POINTS_MAX: usize = 4096;
/// Faults of one profile, codes included. More: refused.
pub const FAULTS_MAX: usize = 4096;
/// Pieces of equipment on one gateway: ten times the largest measured load. More: refused.
pub const EQUIPMENT_MAX: usize = 10_000;
/// Bytes of a text for people in a file: a paragraph or two. Longer: refused.
pub const PROSE_BYTES_MAX: usize = 2 * 1024;
/// Bytes of a name, a stock number, a unit or a path in a file. Longer: refused.
pub const NAME_BYTES_MAX: usize = 128;
/// Bytes of a key that names something in a file: a topic is the longest. Longer: refused.
pub const KEY_BYTES_MAX: usize = 256;
/// Entries of a table that is keyed by names: as many as points. More: refused, the first ones are read.
pub const TABLE_ENTRIES_MAX: usize = POINTS_MAX;
/// Entries of a list. More: refused, the first ones are read.
pub const LIST_ENTRIES_MAX: usize = 1024;
/// Entries of a list of causes, steps, parts, skills or hazards. More: refused.
pub const GUIDANCE_ENTRIES_MAX: usize = 100;
/// Names of one point's values or bits: each condition that names the point looks through them. More: refused.
pub const VALUE_NAMES_MAX: usize = 1024;
/// Profiles and firmware notes in force: an event names each with its SHA-256. More: refused.
pub const FILES_MAX: usize = 1024;
/// Bytes of a regular expression. Longer: refused.
pub const PATTERN_BYTES_MAX: usize = 1024;
/// Bytes of memory that one compiled regular expression may take. Larger: refused.
pub const PATTERN_MEMORY_MAX: usize = 1024 * 1024;
/// Bytes of memory that the compiled regular expressions of one profile may take together. More: refused.
pub const PATTERNS_MEMORY_MAX: usize = 8 * 1024 * 1024;
/// Problems of files that are listed. More: counted, and their near names are not looked for.
pub const DIAGNOSTICS_MAX: usize = 100;
/// Bytes of each part of a problem's text: its sentence, its label, its help. Longer: cut off.
pub const DIAGNOSTIC_BYTES_MAX: usize = 512;
/// Points that one condition may name: their values are told with its alarm and its ticket. More: refused.
pub const POINTS_NAMED_MAX: usize = 100;
/// Bytes of one point's value in an event, as JSON. Longer, by its control characters and quotes: cut off.
pub const TOLD_VALUE_BYTES_MAX: usize = TEXT_VALUE_BYTES_MAX;
/// Depth of an expression's parentheses: recursion stays far from the stack's end. Deeper: refused.
pub const EXPRESSION_DEPTH_MAX: usize = 64;
/// Errors of one expression that are told. More: they are found once these are mended.
pub const EXPRESSION_ERRORS_MAX: usize = 8;
/// Bytes of an expression. Longer: refused.
pub const EXPRESSION_BYTES_MAX: usize = 4096;

/// The shortest period of a point. Shorter: refused.
pub const EVERY_MIN: Duration = ms(10);
/// The longest period of a point. Longer: refused.
pub const EVERY_MAX: Duration = secs(7 * 86_400);
/// Default of `every`.
pub const EVERY_DEFAULT: Duration = secs(1);
/// The longest delay of a fault. Longer: refused.
pub const DELAY_MAX: Duration = secs(7 * 86_400);

// --- functions over time -----------------------------------------------------------------------

/// The shortest window or time constant. Shorter: refused.
pub const WINDOW_MIN: Duration = ms(1);
/// The longest window or time constant. Longer: refused.
pub const WINDOW_MAX: Duration = secs(31 * 86_400);
/// Steps of a window that are kept exactly; beyond them those within one slot are joined.
pub const WINDOW_STEPS_EXACT: usize = 512;
/// Slots of a window that holds more steps than are kept exactly: its edge is then exact to a slot.
pub const WINDOW_SLOTS: u64 = 256;
/// A window in which good values cover less of the time is unknown.
pub const WINDOW_COVERED_PERCENT: u32 = 80;

// --- detection ---------------------------------------------------------------------------------

/// Default of `stale_after`, in periods of the point.
pub const STALE_PERIODS: u32 = 3;
/// Equipment is lost when no good answer came for this long, unless its profile says.
pub const OFFLINE_AFTER_DEFAULT: Duration = secs(10);
/// Equipment is lost at the earliest after this many of its slowest polls.
pub const OFFLINE_POLLS_MIN: u32 = 3;
/// The shortest `offline_after`. Shorter: refused.
pub const OFFLINE_AFTER_MIN: Duration = ms(100);
/// A wall clock that moved by more than this against the monotonic one was stepped: an event is written.
pub const CLOCK_STEP_MIN: Duration = secs(2);
/// How often a daemon asks its clock for the time, whatever else it does: this tells a gap in its own time.
pub const HEARTBEAT: Duration = ms(500);
/// A longer time without any heartbeat is a gap in our own time (a stopped process, a paused machine): no delay or
/// silence counts it.
pub const OWN_GAP_MIN: Duration = secs(3);

// --- baselines ---------------------------------------------------------------------------------

/// Points of one baseline: the work of a sample grows with their square. More: refused.
pub const BASELINE_POINTS_MAX: usize = 16;
/// Samples that are learned from at least: fewer say nothing of how points go together. Fewer: refused.
pub const BASELINE_LEARN_MIN: u64 = 50;
/// Samples that should be learned from: fewer are warned of.
pub const BASELINE_SAMPLES_ADVISED: u64 = 300;
/// How long should be learned: a week has its weekend and every shift. Shorter: warned of.
pub const BASELINE_LEARN_ADVISED: Duration = secs(7 * 86_400);
/// The shortest and the longest time constant with which a baseline's reference follows drift. Outside: refused.
pub const BASELINE_FOLLOW: (Duration, Duration) = (secs(60), secs(3660 * 86_400));
/// The shortest learning period. Shorter: refused.
pub const BASELINE_LEARN_SHORTEST: Duration = secs(60);
/// The longest learning period. Longer: refused.
pub const BASELINE_LEARN_LONGEST: Duration = secs(92 * 86_400);
/// Samples kept while learning; beyond them every second one is let go, then every fourth, and so on.
pub const BASELINE_SAMPLES_KEPT: usize = 4096;
/// The least and the most samples over which a baseline is smoothed on its shortest scale. Outside: refused.
pub const BASELINE_SMOOTH: (f64, f64) = (1.0, 1000.0);
/// Samples over which a baseline is smoothed that does not say.
pub const BASELINE_SMOOTH_DEFAULT: f64 = 2.0;
/// The least and the widest limit of a baseline. Outside: refused.
pub const BASELINE_LIMIT: (f64, f64) = (1.0, 100.0);
/// The limit of a baseline that does not say.
pub const BASELINE_LIMIT_DEFAULT: f64 = 3.0;

// --- alarms ------------------------------------------------------------------------------------

/// Alarms of which each comes at most so long after the one before are one burst.
pub const BURST_GAP: Duration = secs(10);
/// More alarms than these within [`FLOOD_WITHIN`] are a flood (ISA-18.2: more than ten in ten minutes).
pub const FLOOD_ALARMS: usize = 10;
/// See [`FLOOD_ALARMS`].
pub const FLOOD_WITHIN: Duration = secs(600);
/// A flood is over with fewer alarms than these within [`FLOOD_WITHIN`] (ISA-18.2).
pub const FLOOD_OVER_BELOW: usize = 5;
/// Alarms of the last ten minutes that are kept to tell a flood. Older ones are let go.
pub const FLOOD_KEPT: usize = 1024;
/// An alarm that comes so often within [`CHATTER_WITHIN`] chatters (ISA-18.2: three times in a minute).
pub const CHATTER_TIMES: usize = 3;
/// See [`CHATTER_TIMES`].
pub const CHATTER_WITHIN: Duration = secs(60);
/// How long a chattering alarm must be quiet before it is told again; doubled each time it begins anew within
/// [`CHATTER_TOLD_EVERY`].
pub const CHATTER_QUIET: Duration = secs(60);
/// The longest [`CHATTER_QUIET`] becomes.
pub const CHATTER_QUIET_MAX: Duration = secs(1800);
/// A summary of an alarm that chatters on is written so often: a night of it costs a dozen lines.
pub const CHATTER_TOLD_EVERY: Duration = secs(3600);
/// Alarms of equipment whose upstream has come back are held back so much longer: it must be read first.
pub const HELD_GRACE: Duration = secs(30);
/// The longest an alarm can be shelved. Longer: refused; what is not to ring for longer is out of service.
pub const SHELF_MAX: Duration = secs(7 * 86_400);

// --- the recorder ------------------------------------------------------------------------------

/// Disk that readings may take, unless the site says: days of a usual gateway. The oldest go.
pub const RECORDER_MIB: u64 = 256;
/// The most disk that readings may take, in MiB. More: refused.
pub const RECORDER_MIB_MAX: u64 = 1024 * 1024;
/// Samples that are buffered in memory before they are written: 4 MiB. Full: they are written sooner.
pub const RECORDER_BUFFERED: usize = 512 * 1024;
/// How long samples are buffered: what a power cut may take.
pub const RECORDER_EVERY: Duration = secs(300);
/// A point is recorded at least so often while it is read, however little it moves.
pub const RECORDER_AT_LEAST: Duration = secs(60);
/// Full buffers that wait for a slow disk. More: the oldest is let go, counted.
pub const RECORDER_LEAVING: usize = 4;
/// Samples of a series from which on it is compressed by itself; shorter ones share a page.
pub const RECORDER_OWN_CHUNK: usize = 256;
/// Samples at which a shared page is full: what is decompressed to find one series.
pub const RECORDER_PAGE: usize = 16 * 1024;
/// Bytes from which on a segment is full and the next one begun.
pub const RECORDER_SEGMENT_BYTES: u64 = 8 * 1024 * 1024;

/// The readings around an onset that are kept with a ticket, before and after, unless the profile says.
pub const TRACE_SPAN_DEFAULT: Duration = secs(120);
/// The longest they can be, before and after. Longer: refused.
pub const TRACE_SPAN_MAX: Duration = secs(3600);
/// Tickets whose readings wait to be cut. More: those are cut when they are asked for, while they are recorded.
pub const TRACES_QUEUED_MAX: usize = 16_384;
/// Tickets whose readings are cut in one read of the recorder: what is in memory for it is bounded by this.
pub const TRACES_SHARED_MAX: usize = 512;
/// Samples of one answer of the API. More: refused.
pub const HISTORY_SAMPLES_MAX: usize = 1_000_000;

/// From how far back recorded readings are gone through at a start: longer windows begin anew.
pub const WARM_MAX: Duration = secs(86_400);

// --- tickets -----------------------------------------------------------------------------------

/// How long a closed ticket is watched for its fault coming back, unless the profile says.
pub const WATCH_DEFAULT: Duration = secs(7 * 86_400);
/// The longest watch. Longer: refused.
pub const WATCH_MAX: Duration = secs(400 * 86_400);
/// Bytes of a note, cause, action or reason. Longer: refused.
pub const TEXT_BYTES_MAX: usize = 8 * 1024;
/// Bytes of a person's name. Longer: refused.
pub const PERSON_BYTES_MAX: usize = 64;
/// Bytes of a part's id. Longer: refused.
pub const PART_BYTES_MAX: usize = 128;
/// Entries that people add to one ticket. More: refused, a new ticket is wanted.
pub const TICKET_ENTRIES_MAX: usize = 2000;
/// Lines of a ticket's log in one answer at most, the newest; an answer to a change carries [`LOG_ANSWERED`] of them.
pub const LOG_LINES_MAX: usize = 10_000;
/// Lines of a ticket's log that an answer to a change carries, unless its asker says.
pub const LOG_ANSWERED: usize = 20;
/// Parts of one fix. More: refused.
pub const FIX_PARTS_MAX: usize = 100;
/// How long a check waits for fresh readings, beyond its own `for`. Then: refused as unanswered.
pub const CHECK_ANSWER_MAX: Duration = secs(15);
/// How long a check waits for a point that reports by itself. Then: what it said last counts.
pub const CHECK_REPORTS_WITHIN: Duration = secs(3);
/// The longest `for` of a check. Longer: refused.
pub const CHECK_FOR_MAX: Duration = secs(600);

// --- desk --------------------------------------------------------------------------------------

/// Commands that wait for the desk. Full: the caller waits.
pub const COMMANDS_QUEUED_MAX: usize = 256;
/// Answers of all links that wait for the desk. Full: the links wait, polling slows down.
pub const ANSWERS_QUEUED_MAX: usize = 4096;
/// Groups of records under way to the journal. Full: the desk waits.
pub const JOURNAL_QUEUED_MAX: usize = 64;
/// Machine changes that wait while the journal cannot be written. Full: the oldest pair is dropped and counted.
pub const WAITING_CHANGES_MAX: usize = 10_000;
/// How often the journal's file is looked after while nothing is written: whether it is there, whether there is room.
pub const JOURNAL_LOOK_EVERY: Duration = secs(1);
/// How often a journal that cannot be written is tried again.
pub const JOURNAL_RETRY: Duration = ms(500);
/// Inputs the desk takes in one turn before others get theirs.
pub const DESK_TURN_MAX: usize = 256;

// --- links -------------------------------------------------------------------------------------

/// Registers of one read: the protocol's own limit (Modbus application protocol 6.3, 6.4).
pub const REGISTERS_MAX: u16 = 125;
/// Coils or discrete inputs of one read: the protocol's own limit (6.1, 6.2).
pub const BITS_MAX: u16 = 2000;
/// How long the characters of one read may hold a serial line; a longer one is split.
pub const READ_TIME_MAX: Duration = ms(200);
/// Registers of a read that are not split for time: the widest number.
pub const READ_COUNT_MIN: u16 = 8;
/// Periods after which a read that no fault is judged by goes before those that are: it is late, not forgotten.
pub const LATE_PERIODS: u32 = 4;
/// How long a unit that missed turns is told to be late.
pub const LATE_SHOWN: Duration = secs(60);
/// Requests in a row without any answer after which a network connection is opened anew: the other side may be gone
/// without a word.
pub const SILENT_REQUESTS_MAX: u32 = 6;
/// Registers' room for one text of a device's identification. Longer: cut off.
pub const IDENTIFICATION_REGISTERS: u16 = 64;
/// How often a device's identification is read, unless its profile says: it changes with its firmware.
pub const IDENTIFIED_EVERY: Duration = secs(3600);
/// Answers that one identification may be spread over. More: the answer counts as failed.
pub const IDENTIFICATION_ANSWERS_MAX: usize = 16;
/// The time a device has to answer, unless its profile says.
pub const TIMEOUT_DEFAULT: Duration = ms(500);
/// The shortest timeout. Shorter: refused.
pub const TIMEOUT_MIN: Duration = ms(10);
/// The longest timeout. Longer: refused.
pub const TIMEOUT_MAX: Duration = secs(60);
/// Attempts after the first, unless the profile says.
pub const RETRIES_DEFAULT: u32 = 1;
/// The most retries. More: refused.
pub const RETRIES_MAX: u32 = 10;
/// The longest `min_interval`. Longer: refused.
pub const MIN_INTERVAL_MAX: Duration = secs(10);
/// The longest `connect_pause`: loggers of inverters want some seconds. Longer: refused.
pub const CONNECT_PAUSE_MAX: Duration = secs(60);
/// The lowest baud rate that a profile may name. Lower: refused.
pub const BAUD_MIN: u32 = 300;
/// The highest one. Higher: refused.
pub const BAUD_MAX: u32 = 4_000_000;
/// The longest `wait` of a fault before its equipment is safe to touch. Longer: refused.
pub const SAFE_WAIT_MAX: Duration = secs(7 * 86_400);
/// Requests in a row in answer to which nothing at all came, after which a unit is dead and only probed; and
pub const SILENT_REQUESTS_DEAD: u32 = 5;
/// so many of its shortest periods, and
pub const SILENT_POLLS_DEAD: u32 = 3;
/// so much time must have passed since its last sign of life: a few lost answers in a row make nobody dead.
pub const SILENT_TIME_DEAD: Duration = secs(2);
/// Registers beyond a request that are read with it where nothing else tells its answer from late ones.
pub const READ_BEYOND_MAX: u16 = 4;
/// The part of a line's time that probes of dead units may take: one in so many (5 %).
pub const PROBE_SHARE: u32 = 20;
/// Of the requests to a unit that was silent, every so many-th has the whole timeout.
pub const SUSPECT_WHOLE_EVERY: u32 = 3;
/// Unused time for probes that is saved up at most: as much as the longest usual probe.
pub const PROBE_SAVED_MAX: Duration = ms(500);
/// The shortest interval between probes of one dead unit.
pub const PROBE_INTERVAL_MIN: Duration = ms(200);
/// On a free line a dead unit is probed so often at least, so that it is back within a second.
pub const PROBE_INTERVAL_FREE: Duration = ms(800);
/// Of the probes that hold up others every so many-th has the whole timeout.
pub const PROBE_WHOLE_EVERY: u32 = 16;
/// How long a busy device is left alone before it is asked again.
pub const BUSY_AGAIN_AFTER: Duration = ms(100);
/// Connections in a row that are taken and closed without any answer, after which the next one waits.
pub const HANGUPS_AT_ONCE_MAX: u32 = 8;
/// That wait: the other side is there, so it is short.
pub const HANGUP_WAIT: Duration = ms(500);
/// How long a link must be away before that is an alarm of its own.
pub const LINK_AWAY_AFTER: Duration = secs(10);
/// A silent unit's probe waits for so many times the usual answer time.
pub const PROBE_ANSWER_TIMES: u32 = 3;
/// The shortest wait of a probe.
pub const PROBE_TIMEOUT_MIN: Duration = ms(30);
/// After a timeout on a serial line, how long it must be quiet before the next request.
pub const QUIET_AFTER_TIMEOUT: Duration = ms(50);
/// The longest wait for such quiet: a babbling line is worked on regardless.
pub const QUIET_WAIT_MAX: Duration = ms(500);
/// How long an answer is thought able to be late where no request can tell it apart.
pub const LATE_MAX: Duration = secs(5);
/// The last shapes of unanswered requests that are remembered of a unit.
pub const SHAPES_REMEMBERED: usize = 32;
/// How long a register that a device refused is left alone before it is asked for again.
pub const REFUSED_AGAIN_AFTER: Duration = secs(600);
/// The first wait before a link is opened again; it doubles, with jitter.
pub const RECONNECT_MIN: Duration = ms(250);
/// The longest wait before a link is opened again.
pub const RECONNECT_MAX: Duration = secs(15);
/// How long opening a link may take.
pub const CONNECT_TIMEOUT: Duration = secs(5);
/// The shortest silence between RTU frames above 19200 baud (Modbus over serial line 2.5.1.1).
pub const RTU_SILENCE_MIN: Duration = Duration::from_micros(1750);
/// What is kept beyond that silence at least.
pub const RTU_GAP_MORE: Duration = Duration::from_micros(100);
/// Bits a second of a line to a device with a protocol of its own, where neither link nor profile says it.
pub const SERIAL_BAUD_DEFAULT: u32 = 9600;
/// A serial device's turnaround that planning assumes.
pub const TURNAROUND_ASSUMED: Duration = ms(5);
/// A Modbus TCP device's answer time that planning assumes.
pub const TCP_ANSWER_ASSUMED: Duration = ms(5);
/// A line's load above which loading warns.
pub const LINE_LOAD_WARN: f64 = 0.9;
/// Commands that wait for a link, and requests of people that it has taken in. Full: the newest is refused.
pub const LINK_COMMANDS_MAX: usize = 64;
/// The longest that a unit which a person tries has to answer: so long the polls of others on the bus wait. Longer:
/// refused.
pub const TRY_TIMEOUT_MAX: Duration = secs(2);
/// How long a person's request waits for its turn on a bus. Then: refused as too busy.
pub const TRY_WAIT_MAX: Duration = secs(10);
/// What was read a moment ago is read again at the request of a person after this time at the earliest.
pub const READ_AGAIN_MIN: Duration = ms(200);
/// Scans that listen on brokers at once. More: refused as too busy.
pub const HEARD_AT_ONCE_MAX: usize = 4;
/// How long the end of a write is waited for. Then: it counts as not confirmed.
pub const WRITE_END_MAX: Duration = secs(60);
/// Bytes that one answer may leave unread before the connection counts as out of step.
pub const STRAY_BYTES_MAX: usize = 4096;
/// Answer times kept for the percentiles in `status`.
pub const ANSWER_TIMES_KEPT: usize = 256;

// --- simulation --------------------------------------------------------------------------------

/// Bytes without end after which a simulated slave gives a request up.
pub const SIM_REQUEST_GAP: Duration = ms(50);
/// The longest turnaround of a simulated slave. Longer: refused.
pub const SIM_TURNAROUND_MAX: Duration = secs(10);
/// How often a simulated line looks whether it shall end.
pub const SIM_LOOK_EVERY: Duration = ms(100);

/// Bytes of an MQTT packet, unless the link says: what Sparkplug births need. Larger: dropped and counted.
pub const MQTT_PACKET_DEFAULT: usize = 256 * 1024;
/// The most a link may say.
pub const MQTT_PACKET_MAX: usize = 16 * 1024 * 1024;
/// How often an idle connection to a broker shows that it lives.
pub const MQTT_KEEP_ALIVE: Duration = secs(30);
/// Messages that wait to be acknowledged to the broker once what they caused is on disk.
pub const MQTT_ACKS_QUEUED_MAX: usize = 4096;
/// How long a connection to a broker may take no acknowledgement. Longer: it is opened again.
pub const MQTT_STUCK_MAX: Duration = secs(10);
/// How long a broker of version 5 is asked to keep our session.
pub const MQTT_SESSION_SECONDS: u32 = 86_400;
/// Topics of which the last message is remembered for `why`, a piece of equipment. More: the first is forgotten.
pub const ANSWERS_REMEMBERED_MAX: usize = 256;
/// How long a broker may be away before its equipment counts as lost.
pub const MQTT_AWAY_MAX: Duration = secs(10);
/// Bytes of a line of a serial protocol. Longer: dropped as noise, and counted.
pub const SERIAL_LINE_BYTES_MAX: usize = 8 * 1024;
/// Lines of one answer. More: the answer counts as failed.
pub const SERIAL_ANSWER_LINES_MAX: usize = 1000;
/// How often a queue is asked again at once, at most.
pub const SERIAL_AGAIN_MAX: u32 = 20;
/// Bytes of a link's last frames that are kept. More: the oldest is dropped.
pub const WIRE_RECORD_BYTES: usize = 256 * 1024;
/// Frames of them. More: the oldest is dropped.
pub const WIRE_RECORD_FRAMES: usize = 8192;
/// Bytes of one frame on record: a Modbus frame has at most 513, a message is cut.
pub const FRAME_BYTES_MAX: usize = 4096;
/// Bytes in one direction with no longer pause between them are one frame.
pub const FRAME_PAUSE: Duration = ms(20);
/// Frames before a ticket's opening that are kept with it, as far as the ring reaches.
pub const CAPTURE_BEFORE: Duration = secs(60);
/// How long after a ticket's opening frames are still kept with it.
pub const CAPTURE_AFTER: Duration = secs(5);
/// Bytes of a capture that is read. Larger: refused.
pub const CAPTURE_FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Connections of a capture that are followed. More: their bytes are counted as not read.
pub const CAPTURE_CONNECTIONS_MAX: usize = 4096;
/// Segments of one direction that wait for bytes in front of them. More: the bytes count as missing.
pub const CAPTURE_SEGMENTS_EARLY_MAX: usize = 64;
/// Requests of one connection in a capture that wait for their answers. More: the oldest counts as unanswered.
pub const CAPTURE_REQUESTS_MAX: usize = 1024;
/// The greatest length in the header of a Modbus TCP frame: unit and 253 bytes.
pub const MBAP_LENGTH_MAX: usize = 254;
/// Bytes of a frame on a serial line at most (Modbus over serial line 2.5.1).
pub const RTU_FRAME_MAX: usize = 256;
/// Opened tickets that the worker takes in at once: their faults are looked up beside the links' work.
pub const OPENED_TAKEN_MAX: usize = 64;
/// Tickets of one link that are opened within this time share their frames, and traces that are due within it one read.
pub const CAPTURE_SHARED: Duration = secs(1);
/// Tickets whose frames are kept. More: the oldest ones' are removed.
pub const CAPTURES_KEPT: usize = 10_000;
/// Bytes of all frames that are kept with tickets: a thousand tickets on busy links. More: the oldest are removed.
pub const CAPTURES_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Tickets opened in a burst whose frames wait to be cut. More: theirs are not kept, which is counted and told.
pub const CAPTURES_QUEUED_MAX: usize = 8192;
/// Topics that one scan of a broker tells of. More: passed over.
pub const TOPICS_HEARD_MAX: usize = 5000;
/// The longest listening of a scan.
pub const HEARD_MAX: Duration = secs(600);
/// Bytes of an MQTT topic or filter: the protocol's own limit. Longer: refused.
pub const TOPIC_BYTES_MAX: usize = 65_535;
/// Characters of a line of the daemon's log: several screens' lines; a longer one is cut, with a mark.
pub const LOG_LINE_MAX: usize = 2000;

const _: () = assert!(RECORDER_LEAVING >= 2 && CAPTURES_QUEUED_MAX <= CAPTURES_KEPT);
const _: () = assert!(TRY_TIMEOUT_MAX.as_nanos() < TRY_WAIT_MAX.as_nanos());
const _: () = assert!(HEARTBEAT.as_nanos() * 4 < OWN_GAP_MIN.as_nanos());
const _: () = assert!(TIMEOUT_MIN.as_nanos() < TIMEOUT_MAX.as_nanos());
const _: () = assert!(PROBE_INTERVAL_MIN.as_nanos() < PROBE_INTERVAL_FREE.as_nanos());
const _: () = assert!(RECONNECT_MIN.as_nanos() < RECONNECT_MAX.as_nanos());
const _: () = assert!(LIST_DEFAULT <= LIST_MAX && LIST_MAX <= SEARCH_MAX);
const _: () = assert!(TEXT_BYTES_MAX * 4 < LINE_BYTES_MAX);
const _: () = assert!(REQUEST_MAX.as_millis() < CLIENT_ANSWER_MAX.as_millis());
const _: () = assert!(CONNECTIONS_MIN < CONNECTIONS_MAX);
const _: () = assert!(STORE_CHECK_MAX.as_millis() < STORE_OPEN_MAX.as_millis());
