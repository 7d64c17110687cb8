//! Limits of the program: the value, its unit, its reason, and the result when it is exceeded.
//!
//! Every capacity, timeout, number of retries and size is a constant of this page; other modules contain no such
//! literal. A site can set a value only within the limits of this page. "Refused" after a limit means that andon
//! shows an error for the file, or refuses the command.
//!
//! ```
//! use andon::limits;
//! assert!(limits::EVERY_MIN <= limits::EVERY_DEFAULT && limits::EVERY_DEFAULT <= limits::EVERY_MAX);
//! ```
//!
//! Use: a module reads the constant where it applies the limit, so that a change here needs no other change.

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

/// Bytes of an identifier: it must fit into a table column and a file name. Longer: refused.
pub const ID_BYTES_MAX: usize = 48;

/// Bytes of a text value of a point: enough for several lines of a display, or for a nameplate. Longer: a bad
/// reading. This also limits the texts in conditions and in events.
pub const TEXT_VALUE_BYTES_MAX: usize = 1024;

// --- files people write ------------------------------------------------------------------------

/// Bytes of a configuration file or profile. Larger: refused before it is parsed.
pub const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Points of one profile: twice the number of the largest known SunSpec device. More: refused.
pub const POINTS_MAX: usize = 4096;
/// Faults of one profile; each code of a `codes` list counts. More: refused.
pub const FAULTS_MAX: usize = 4096;
/// Pieces of equipment on one gateway: ten times the largest measured load. More: refused.
pub const EQUIPMENT_MAX: usize = 10_000;
/// Bytes of a text for people in a file: one or two paragraphs. Longer: refused.
pub const PROSE_BYTES_MAX: usize = 2 * 1024;
/// Bytes of a name, a stock number, a unit of measure or a path in a file. Longer: refused.
pub const NAME_BYTES_MAX: usize = 128;
/// Bytes of a key that is a name in a file; an MQTT topic is the longest. Longer: refused.
pub const KEY_BYTES_MAX: usize = 256;
/// Entries of a table whose keys are names: as many as points. More: refused; andon still reads the first ones.
pub const TABLE_ENTRIES_MAX: usize = POINTS_MAX;
/// Entries of a list in a file. More: refused; andon still reads the first ones.
pub const LIST_ENTRIES_MAX: usize = 1024;
/// Entries of a list of causes, steps, parts, skills or hazards. More: refused.
pub const GUIDANCE_ENTRIES_MAX: usize = 100;
/// Names of the values or bits of one point: each condition that uses the point searches them. More: refused.
pub const VALUE_NAMES_MAX: usize = 1024;
/// Profiles and firmware notes that are loaded: one event contains the name and the SHA-256 of each. More: refused.
pub const FILES_MAX: usize = 1024;
/// Bytes of a regular expression. Longer: refused.
pub const PATTERN_BYTES_MAX: usize = 1024;
/// Bytes of memory of one compiled regular expression. Larger: refused.
pub const PATTERN_MEMORY_MAX: usize = 1024 * 1024;
/// Bytes of memory of all compiled regular expressions of one profile. More: refused.
pub const PATTERNS_MEMORY_MAX: usize = 8 * 1024 * 1024;
/// Problems of files that andon lists. More: only counted, without "did you mean".
pub const DIAGNOSTICS_MAX: usize = 100;
/// Bytes of each part of a problem: its message, its label, its help. Longer: cut off.
pub const DIAGNOSTIC_BYTES_MAX: usize = 512;
/// Points that one condition can name: the alarm and the ticket show their values. More: refused.
pub const POINTS_NAMED_MAX: usize = 100;
/// Bytes of the value of one point in an event, as JSON. A value with many control characters or quotes can be
/// longer: cut off.
pub const TOLD_VALUE_BYTES_MAX: usize = TEXT_VALUE_BYTES_MAX;
/// Depth of the parentheses in an expression: this protects the stack from deep recursion. Deeper: refused.
pub const EXPRESSION_DEPTH_MAX: usize = 64;
/// Errors of one expression that andon reports. More: andon reports them after these are corrected.
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

/// The shortest window or time constant of a function over time. Shorter: refused.
pub const WINDOW_MIN: Duration = ms(1);
/// The longest window or time constant of a function over time. Longer: refused.
pub const WINDOW_MAX: Duration = secs(31 * 86_400);
/// Changes that a window stores exactly. More: andon joins the changes within one slot.
pub const WINDOW_STEPS_EXACT: usize = 512;
/// Slots of a window with more than [`WINDOW_STEPS_EXACT`] changes: the edge of the window is exact to one slot.
pub const WINDOW_SLOTS: u64 = 256;
/// Percent of a window that good values must cover. Less: the result of the function is unknown.
pub const WINDOW_COVERED_PERCENT: u32 = 80;

// --- detection ---------------------------------------------------------------------------------

/// Default of `stale_after`, in periods of the point.
pub const STALE_PERIODS: u32 = 3;
/// Default of `offline_after`: without a good answer for this time, communication with the equipment is lost.
pub const OFFLINE_AFTER_DEFAULT: Duration = secs(10);
/// The smallest default of `offline_after`, in periods of the point that is read most often.
pub const OFFLINE_POLLS_MIN: u32 = 3;
/// The shortest `offline_after`. Shorter: refused.
pub const OFFLINE_AFTER_MIN: Duration = ms(100);
/// A larger move of the wall clock against the monotonic clock is a clock step: andon writes an event.
pub const CLOCK_STEP_MIN: Duration = secs(2);
/// The interval at which the daemon always reads its clock. It makes pauses of the process visible.
pub const HEARTBEAT: Duration = ms(500);
/// A longer time without a heartbeat is a pause of the process (stopped, or the computer slept). Delays and timeouts
/// do not count it.
pub const OWN_GAP_MIN: Duration = secs(3);

// --- baselines ---------------------------------------------------------------------------------

/// Points of one baseline: the work for each sample grows with the square of this number. More: refused.
pub const BASELINE_POINTS_MAX: usize = 16;
/// The least samples for learning: fewer do not show how the points move together. Fewer: refused.
pub const BASELINE_LEARN_MIN: u64 = 50;
/// The advised number of samples for learning. Fewer: a warning.
pub const BASELINE_SAMPLES_ADVISED: u64 = 300;
/// The advised learning period: one week contains a weekend and every shift. Shorter: a warning.
pub const BASELINE_LEARN_ADVISED: Duration = secs(7 * 86_400);
/// The shortest and the longest time constant with which the reference of a baseline follows drift. Outside: refused.
pub const BASELINE_FOLLOW: (Duration, Duration) = (secs(60), secs(3660 * 86_400));
/// The shortest learning period. Shorter: refused.
pub const BASELINE_LEARN_SHORTEST: Duration = secs(60);
/// The longest learning period. Longer: refused.
pub const BASELINE_LEARN_LONGEST: Duration = secs(92 * 86_400);
/// Samples that andon stores while it learns. More: andon keeps every second one, then every fourth one, and so on.
pub const BASELINE_SAMPLES_KEPT: usize = 4096;
/// The least and the most samples for smoothing, on the shortest scale of a baseline. Outside: refused.
pub const BASELINE_SMOOTH: (f64, f64) = (1.0, 1000.0);
/// Default of the number of samples for smoothing.
pub const BASELINE_SMOOTH_DEFAULT: f64 = 2.0;
/// The smallest and the largest `limit` of a baseline. Outside: refused.
pub const BASELINE_LIMIT: (f64, f64) = (1.0, 100.0);
/// Default of `limit` of a baseline.
pub const BASELINE_LIMIT_DEFAULT: f64 = 3.0;

// --- alarms ------------------------------------------------------------------------------------

/// The largest interval between two alarms of one burst.
pub const BURST_GAP: Duration = secs(10);
/// More alarms than this number within [`FLOOD_WITHIN`] are a flood (ISA-18.2: more than ten in ten minutes).
pub const FLOOD_ALARMS: usize = 10;
/// The period in which the alarms of a flood are counted.
pub const FLOOD_WITHIN: Duration = secs(600);
/// A flood ends with fewer alarms than this number within [`FLOOD_WITHIN`] (ISA-18.2).
pub const FLOOD_OVER_BELOW: usize = 5;
/// Recent alarms that are stored to detect a flood. More: the oldest are dropped.
pub const FLOOD_KEPT: usize = 1024;
/// An alarm that is raised this often within [`CHATTER_WITHIN`] chatters (ISA-18.2: three times in a minute).
pub const CHATTER_TIMES: usize = 3;
/// The period in which the repeats of a chattering alarm are counted.
pub const CHATTER_WITHIN: Duration = secs(60);
/// The time without a repeat after which a chattering alarm is reported again. It doubles each time the alarm starts
/// to chatter again within [`CHATTER_TOLD_EVERY`].
pub const CHATTER_QUIET: Duration = secs(60);
/// The largest value of [`CHATTER_QUIET`] after doubling.
pub const CHATTER_QUIET_MAX: Duration = secs(1800);
/// The interval of the summaries of an alarm that continues to chatter: twelve lines in a night.
pub const CHATTER_TOLD_EVERY: Duration = secs(3600);
/// The time for which alarms stay suppressed after the upstream equipment is back: the dependent equipment must be
/// read first.
pub const SUPPRESSION_GRACE: Duration = secs(30);
/// The longest time for which an alarm can be shelved. Longer: refused; take the equipment out of service instead.
pub const SHELF_MAX: Duration = secs(7 * 86_400);

// --- the recorder ------------------------------------------------------------------------------

/// Default of the disk space for readings, in MiB: some days of a usual gateway. Full: the oldest readings are
/// removed.
pub const RECORDER_MIB: u64 = 256;
/// The largest disk space for readings, in MiB. More: refused.
pub const RECORDER_MIB_MAX: u64 = 1024 * 1024;
/// Samples in memory before andon writes them: 4 MiB. Full: andon writes them earlier.
pub const RECORDER_BUFFERED: usize = 512 * 1024;
/// The longest time for which samples stay in memory only. A power failure can lose them.
pub const RECORDER_EVERY: Duration = secs(300);
/// The longest interval between two recorded samples of a point that is read, even if its value does not change.
pub const RECORDER_AT_LEAST: Duration = secs(60);
/// Full buffers that wait for a slow disk. More: the oldest is dropped and counted.
pub const RECORDER_LEAVING: usize = 4;
/// A series with at least this many samples is compressed alone; shorter series share a page.
pub const RECORDER_OWN_CHUNK: usize = 256;
/// Samples of a full shared page: andon must decompress all of them to find one series.
pub const RECORDER_PAGE: usize = 16 * 1024;
/// Bytes of a full segment. andon then starts the next segment.
pub const RECORDER_SEGMENT_BYTES: u64 = 8 * 1024 * 1024;

/// Default of the recorded time that is kept with a ticket, before and after the onset.
pub const TRACE_SPAN_DEFAULT: Duration = secs(120);
/// The longest of these times, before and after. Longer: refused.
pub const TRACE_SPAN_MAX: Duration = secs(3600);
/// Tickets that wait for their readings. More: andon takes the readings when somebody asks for them, if they are
/// still recorded.
pub const TRACES_QUEUED_MAX: usize = 16_384;
/// Tickets that share one read of the recorder: this limits the memory.
pub const TRACES_SHARED_MAX: usize = 512;
/// Samples in one answer of the API. More: refused.
pub const HISTORY_SAMPLES_MAX: usize = 1_000_000;

/// The period of recorded readings that andon reads at its start. Longer windows start empty.
pub const WARM_MAX: Duration = secs(86_400);

// --- tickets -----------------------------------------------------------------------------------

/// Default of the time after closing in which the same fault reopens the ticket (`watch`).
pub const WATCH_DEFAULT: Duration = secs(7 * 86_400);
/// The longest `watch`. Longer: refused.
pub const WATCH_MAX: Duration = secs(400 * 86_400);
/// Bytes of a note, cause, action or reason. Longer: refused.
pub const TEXT_BYTES_MAX: usize = 8 * 1024;
/// Bytes of the name of a person. Longer: refused.
pub const PERSON_BYTES_MAX: usize = 64;
/// Bytes of the id of a part. Longer: refused.
pub const PART_BYTES_MAX: usize = 128;
/// Entries that people can add to one ticket. More: refused; a new ticket is needed.
pub const TICKET_ENTRIES_MAX: usize = 2000;
/// The most log lines of a ticket in one answer, the newest ones; an answer to a change has [`LOG_ANSWERED`] of
/// them.
pub const LOG_LINES_MAX: usize = 10_000;
/// Log lines in the answer to a change, unless the request asks for another number.
pub const LOG_ANSWERED: usize = 20;
/// Parts of one fix. More: refused.
pub const FIX_PARTS_MAX: usize = 100;
/// The time that a check waits for fresh readings, in addition to its own `for`. Then: refused as unanswered.
pub const CHECK_ANSWER_MAX: Duration = secs(15);
/// The time that a check waits for a point that reports by itself. Then: its last value counts.
pub const CHECK_REPORTS_WITHIN: Duration = secs(3);
/// The longest `for` of a check. Longer: refused.
pub const CHECK_FOR_MAX: Duration = secs(600);

// --- desk --------------------------------------------------------------------------------------

/// Commands that wait for the engine. Full: the caller waits.
pub const COMMANDS_QUEUED_MAX: usize = 256;
/// Answers of all links that wait for the engine. Full: the links wait, and polling slows down.
pub const ANSWERS_QUEUED_MAX: usize = 4096;
/// Groups of events that wait for the journal. Full: the engine waits.
pub const JOURNAL_QUEUED_MAX: usize = 64;
/// Events of machines that wait while the journal cannot be written. Full: andon drops the oldest one
/// and counts it.
pub const WAITING_CHANGES_MAX: usize = 10_000;
/// The interval at which andon checks that the journal file exists and that the disk has space, while nothing is
/// written.
pub const JOURNAL_LOOK_EVERY: Duration = secs(1);
/// The interval of the attempts to write a journal that cannot be written.
pub const JOURNAL_RETRY: Duration = ms(500);
/// Inputs that the engine takes before other tasks run.
pub const DESK_TURN_MAX: usize = 256;

// --- links -------------------------------------------------------------------------------------

/// Registers of one read: the limit of the protocol (Modbus application protocol 6.3, 6.4).
pub const REGISTERS_MAX: u16 = 125;
/// Coils or discrete inputs of one read: the limit of the protocol (6.1, 6.2).
pub const BITS_MAX: u16 = 2000;
/// The longest time that the characters of one read can occupy a serial line. andon splits a longer read.
pub const READ_TIME_MAX: Duration = ms(200);
/// Registers of a read that is never split because of time: the widest number must fit.
pub const READ_COUNT_MIN: u16 = 8;
/// Periods after which an overdue read that no fault needs ranks equal with the reads that faults need.
pub const LATE_PERIODS: u32 = 4;
/// The time for which `status` reports that reads of a unit were skipped.
pub const LATE_SHOWN: Duration = secs(60);
/// Requests in a row without an answer after which andon opens a network connection again: the other side can be gone
/// without a notice.
pub const SILENT_REQUESTS_MAX: u32 = 6;
/// The space for one text of the identification of a device, in registers. Longer: cut off.
pub const IDENTIFICATION_REGISTERS: u16 = 64;
/// Default of the interval at which andon reads the identification of a device. It changes only with the firmware.
pub const IDENTIFIED_EVERY: Duration = secs(3600);
/// Answers for one identification. More: the read counts as failed.
pub const IDENTIFICATION_ANSWERS_MAX: usize = 16;
/// Default of the response timeout of a device.
pub const TIMEOUT_DEFAULT: Duration = ms(500);
/// The shortest response timeout. Shorter: refused.
pub const TIMEOUT_MIN: Duration = ms(10);
/// The longest response timeout. Longer: refused.
pub const TIMEOUT_MAX: Duration = secs(60);
/// Default of the attempts after the first one.
pub const RETRIES_DEFAULT: u32 = 1;
/// The most attempts after the first one. More: refused.
pub const RETRIES_MAX: u32 = 10;
/// The longest `min_interval`. Longer: refused.
pub const MIN_INTERVAL_MAX: Duration = secs(10);
/// The longest `connect_pause`: loggers of inverters need some seconds. Longer: refused.
pub const CONNECT_PAUSE_MAX: Duration = secs(60);
/// The lowest baud rate in a profile. Lower: refused.
pub const BAUD_MIN: u32 = 300;
/// The highest baud rate in a profile. Higher: refused.
pub const BAUD_MAX: u32 = 4_000_000;
/// The longest `wait` of a fault, before its equipment is safe to touch. Longer: refused.
pub const SAFE_WAIT_MAX: Duration = secs(7 * 86_400);
/// A unit is offline, and is only probed, if all three limits are reached. First: this many requests in a row got no
/// answer at all.
pub const SILENT_REQUESTS_DEAD: u32 = 5;
/// Second: the silence lasts this many of the shortest periods of the unit.
pub const SILENT_POLLS_DEAD: u32 = 3;
/// Third: the silence lasts this long. A few lost answers in a row do not make a unit offline.
pub const SILENT_TIME_DEAD: Duration = secs(2);
/// Registers that andon reads beyond a request, if nothing else distinguishes its answer from a late one.
pub const READ_BEYOND_MAX: u16 = 4;
/// The part of the time of a line that probes of offline units can take: one of this number (5 %).
pub const PROBE_SHARE: u32 = 20;
/// One of this many requests to a unit that was silent gets the whole timeout; the others get a shorter one.
pub const SUSPECT_WHOLE_EVERY: u32 = 3;
/// The most unused time for probes that is saved: as long as the longest usual probe.
pub const PROBE_SAVED_MAX: Duration = ms(500);
/// The shortest interval between probes of one offline unit.
pub const PROBE_INTERVAL_MIN: Duration = ms(200);
/// The longest interval between probes of an offline unit on a line with free time: the unit is back within one
/// second.
pub const PROBE_INTERVAL_FREE: Duration = ms(800);
/// One of this many probes that delay other requests gets the whole timeout.
pub const PROBE_WHOLE_EVERY: u32 = 16;
/// The pause before andon repeats a request to a device that answered "server device busy".
pub const BUSY_AGAIN_AFTER: Duration = ms(100);
/// Connections in a row that the other side closes without an answer, after which the next connection waits.
pub const HANGUPS_AT_ONCE_MAX: u32 = 8;
/// The length of this wait: short, because the other side exists.
pub const HANGUP_WAIT: Duration = ms(500);
/// The time without a connection after which a link raises an alarm of its own.
pub const LINK_AWAY_AFTER: Duration = secs(10);
/// The timeout of the probe of a silent unit, in usual answer times.
pub const PROBE_ANSWER_TIMES: u32 = 3;
/// The shortest timeout of a probe.
pub const PROBE_TIMEOUT_MIN: Duration = ms(30);
/// The silence that a serial line needs after a timeout, before the next request.
pub const QUIET_AFTER_TIMEOUT: Duration = ms(50);
/// The longest wait for this silence. Then andon uses the line although it is not silent.
pub const QUIET_WAIT_MAX: Duration = ms(500);
/// The largest delay of a late answer that andon expects, if requests cannot be distinguished by their answers.
pub const LATE_MAX: Duration = secs(5);
/// Unanswered requests per unit of which andon remembers the shape (function and count).
pub const SHAPES_REMEMBERED: usize = 32;
/// The time for which andon does not read a register again that a device refused.
pub const REFUSED_AGAIN_AFTER: Duration = secs(600);
/// The first wait before a link is opened again. It doubles each time, with a random part.
pub const RECONNECT_MIN: Duration = ms(250);
/// The longest wait before a link is opened again.
pub const RECONNECT_MAX: Duration = secs(15);
/// The longest time for opening a link.
pub const CONNECT_TIMEOUT: Duration = secs(5);
/// The shortest silence between RTU frames above 19200 baud (Modbus over serial line 2.5.1.1).
pub const RTU_SILENCE_MIN: Duration = Duration::from_micros(1750);
/// The least time that andon adds to this silence.
pub const RTU_GAP_MORE: Duration = Duration::from_micros(100);
/// Default of the baud rate of a device with its own protocol, if neither the link nor the profile gives it.
pub const SERIAL_BAUD_DEFAULT: u32 = 9600;
/// The turnaround time of a serial device that `link plan` assumes.
pub const TURNAROUND_ASSUMED: Duration = ms(5);
/// The answer time of a Modbus TCP device that `link plan` assumes.
pub const TCP_ANSWER_ASSUMED: Duration = ms(5);
/// The load of a line above which andon warns when it loads the files; 1.0 is a full line.
pub const LINE_LOAD_WARN: f64 = 0.9;
/// Commands that wait for a link, and requests of people that the link has accepted. Full: the newest is refused.
pub const LINK_COMMANDS_MAX: usize = 64;
/// The longest timeout for a unit that a person tries: the polls of other units wait for this time. Longer: refused.
pub const TRY_TIMEOUT_MAX: Duration = secs(2);
/// The time that the request of a person waits for its turn on a line. Then: refused as too busy.
pub const TRY_WAIT_MAX: Duration = secs(10);
/// The shortest interval between two reads of the same value at the request of a person.
pub const READ_AGAIN_MIN: Duration = ms(200);
/// Scans that listen on brokers at the same time. More: refused as too busy.
pub const HEARD_AT_ONCE_MAX: usize = 4;
/// The time that andon waits for the end of a write. Then: the write is not confirmed.
pub const WRITE_END_MAX: Duration = secs(60);
/// Bytes that one answer can leave unread. More: andon opens the connection again.
pub const STRAY_BYTES_MAX: usize = 4096;
/// Answer times that are stored for the percentiles in `status`.
pub const ANSWER_TIMES_KEPT: usize = 256;

// --- simulation --------------------------------------------------------------------------------

/// The time without bytes after which a simulated device drops an incomplete request.
pub const SIM_REQUEST_GAP: Duration = ms(50);
/// The longest turnaround of a simulated device. Longer: refused.
pub const SIM_TURNAROUND_MAX: Duration = secs(10);
/// The interval at which a simulated line checks whether it must end.
pub const SIM_LOOK_EVERY: Duration = ms(100);

/// Default of `max_packet`, in bytes of an MQTT packet: enough for Sparkplug births. Larger: dropped and counted.
pub const MQTT_PACKET_DEFAULT: usize = 256 * 1024;
/// The largest `max_packet` of a link.
pub const MQTT_PACKET_MAX: usize = 16 * 1024 * 1024;
/// The keep-alive interval of a connection to a broker.
pub const MQTT_KEEP_ALIVE: Duration = secs(30);
/// Messages whose acknowledgement to the broker waits until their events are on disk.
pub const MQTT_ACKS_QUEUED_MAX: usize = 4096;
/// The time for which a connection to a broker may accept no acknowledgement. Longer: andon opens the connection again.
pub const MQTT_STUCK_MAX: Duration = secs(10);
/// The time in seconds for which an MQTT 5 broker is asked to keep the session of andon.
pub const MQTT_SESSION_SECONDS: u32 = 86_400;
/// Topics per piece of equipment whose last message is stored for `why`. More: the oldest is dropped.
pub const ANSWERS_REMEMBERED_MAX: usize = 256;
/// The time without a broker after which communication with its equipment is lost.
pub const MQTT_AWAY_MAX: Duration = secs(10);
/// Bytes of a line of a serial protocol. Longer: dropped as noise and counted.
pub const SERIAL_LINE_BYTES_MAX: usize = 8 * 1024;
/// Lines of one answer. More: the answer counts as failed.
pub const SERIAL_ANSWER_LINES_MAX: usize = 1000;
/// The most times in a row that andon asks a queue of a device again without a pause.
pub const SERIAL_AGAIN_MAX: u32 = 20;
/// Bytes of the last frames of a link that are stored. More: the oldest frame is dropped.
pub const WIRE_RECORD_BYTES: usize = 256 * 1024;
/// Number of these frames. More: the oldest frame is dropped.
pub const WIRE_RECORD_FRAMES: usize = 8192;
/// Bytes of one stored frame: a Modbus frame has at most 513; a longer message is cut off.
pub const FRAME_BYTES_MAX: usize = 4096;
/// Bytes in one direction with no longer pause between them are one frame.
pub const FRAME_PAUSE: Duration = ms(20);
/// The time before the opening of a ticket for which frames are kept with the ticket, if they are still stored.
pub const CAPTURE_BEFORE: Duration = secs(60);
/// The time after the opening of a ticket for which frames are kept with the ticket.
pub const CAPTURE_AFTER: Duration = secs(5);
/// Bytes of a capture file that andon reads. Larger: refused.
pub const CAPTURE_FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Connections that andon follows in a capture. More: their bytes count as not read.
pub const CAPTURE_CONNECTIONS_MAX: usize = 4096;
/// Segments of one direction that wait for earlier bytes. More: those bytes count as missing.
pub const CAPTURE_SEGMENTS_EARLY_MAX: usize = 64;
/// Requests of one connection in a capture that wait for their answers. More: the oldest counts as unanswered.
pub const CAPTURE_REQUESTS_MAX: usize = 1024;
/// The largest length in the header of a Modbus TCP frame: the unit id and 253 bytes.
pub const MBAP_LENGTH_MAX: usize = 254;
/// The most bytes of a frame on a serial line (Modbus over serial line 2.5.1).
pub const RTU_FRAME_MAX: usize = 256;
/// Opened tickets that the worker takes at once: it looks up their faults beside the work of the links.
pub const OPENED_TAKEN_MAX: usize = 64;
/// The time within which tickets of one link share their frames, and their readings share one read of the recorder.
pub const CAPTURE_SHARED: Duration = secs(1);
/// Tickets whose frames are kept. More: the frames of the oldest tickets are removed.
pub const CAPTURES_KEPT: usize = 10_000;
/// Bytes of all frames that are kept with tickets: a thousand tickets on busy links. More: the oldest are removed.
pub const CAPTURES_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Tickets of a burst whose frames wait to be stored. More: their frames are not kept; andon counts and reports this.
pub const CAPTURES_QUEUED_MAX: usize = 8192;
/// Topics that one scan of a broker reports. More: left out.
pub const TOPICS_HEARD_MAX: usize = 5000;
/// The longest time that a scan listens.
pub const HEARD_MAX: Duration = secs(600);
/// Bytes of an MQTT topic or filter: the limit of the protocol. Longer: refused.
pub const TOPIC_BYTES_MAX: usize = 65_535;
/// Characters of one line of the daemon's log. Longer: cut off, with a mark.
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
