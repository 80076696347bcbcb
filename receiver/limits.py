"""Every bound, with its reason. Units are in the names; the config may change those it names.

Knows nothing else. A number that bounds memory, time or count and is not here is a defect.
"""

from __future__ import annotations

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB

# --- one message ---
MESSAGE_BYTES: Final = 256 * KIB
"""Longest message kept whole. rsyslog's default is 8 KiB; audit JSON (Kubernetes, CloudTrail) reaches 256 KiB."""

HALF_READ_BYTES: Final = 32 * MIB
"""All half-read frames of all connections together: 2000 peers with endless frames cost this, not 512 MiB."""

RULE_TEXT_CHARS: Final = 8 * KIB
"""Rules match on this much of a message: no rule needs more, and a regex must not see megabytes."""

JSON_DEPTH: Final = 64
"""Deepest nesting read as JSON; deeper text is kept as raw, since recursion is a stack, not a heap."""

TIME_CACHE_ENTRIES: Final = 4096
"""Distinct seconds remembered per time form: an hour of one sender's, 0.5 MiB; emptied when full."""

JSON_INTEGER_DIGITS: Final = 4_000
"""Longest integer read as a number; a longer one stays text (Python itself refuses beyond 4300: quadratic time)."""

FIELD_SHAPES: Final = 1_024
"""JSON objects by their keys: how many shapes are remembered with what each key means (some 6 MiB at the worst)."""
FIELD_SHAPE_CHARS: Final = 2_048
"""A shape whose keys are longer together is not remembered: senders choose them."""

SD_SHAPES: Final = 256
"""Lists of param names remembered, since an application has few; senders choose them, so they are bounded."""
SD_SHAPE_PARAMS: Final = 64
"""Longer lists are not remembered: with names of 32 characters, all of it is 1.5 MiB at most."""

# --- GELF over UDP (Graylog's documented limits: 128 chunks, 5 seconds) ---
GELF_CHUNKS: Final = 128
GELF_ASSEMBLY_SECONDS: Final = 5.0
GELF_ASSEMBLY_BYTES: Final = 16 * MIB
GELF_ASSEMBLIES: Final = 4096
"""Open assemblies: the oldest makes way, so that spoofed first chunks cannot keep honest ones out."""
INFLATED_BYTES: Final = MESSAGE_BYTES
"""Longest message after decompression, as long as any other: zlib reaches 1000:1, so a datagram could become 64 MiB,
and a read of 32 packed ones 32 MiB at four times this bound."""

# --- one socket ---
STREAM_READ_BYTES: Final = 32 * KIB
"""One read of a stream: some 150 messages. Their objects stay in a 512 KiB cache: 10 % less CPU than with 128 KiB."""
STREAM_READ_FULL_BYTES: Final = 4 * KIB
"""One read while the inbox is full: what a held connection keeps in memory (10 000 of them: 40 MiB)."""
DATAGRAM_BYTES: Final = 65_535
DATAGRAM_DRAIN: Final = 4_096
"""Datagrams read per turn of the loop: 15 ms, in which a 16 MiB buffer cannot fill."""
DATAGRAM_LIST: Final = 256
"""Datagrams parsed per turn of the loop: some 5 ms, then the socket is read again."""
DATAGRAM_BACKLOG_BYTES: Final = 96 * MIB
"""Read and not parsed yet, of one listener: 380 000 messages of 208 bytes, a burst that the kernel could not hold."""
DATAGRAM_LIST_BYTES: Final = 2 * MIB
"""Frames handed over at once: 512 datagrams can inflate to 512 MiB, and the inbox is asked once a list."""
LINE_IDLE_SECONDS: Final = 5.0
"""A line without terminator is taken after this silence (devices that never send the last LF)."""
TLS_HANDSHAKE_SECONDS: Final = 10.0
CONNECTIONS: Final = 20_000
CONNECTIONS_PER_PEER: Final = 12_000
"""High: a load balancer or NAT hides many senders behind one address."""
LISTEN_BACKLOG: Final = 1024
ACCEPT_BATCH: Final = 64
"""Connections accepted per wake-up: a storm of them must not keep open ones from being read."""
KEEPALIVE_SECONDS: Final = 120
"""TCP asks after a silent peer this often: one that vanished without a FIN must not keep its seat for ever."""
ORIGINS: Final = 8_192
"""Senders remembered for one datagram listener; forged addresses only make it look again."""
IDLE_SWEEP: Final = 256
"""Silent half lines taken per turn of the loop."""
WARN_SECONDS: Final = 30.0
"""One warning of a kind in this time, with the number of those left out: the log is no amplifier."""
ACCEPT_PAUSE_SECONDS: Final = 0.5
"""After EMFILE/ENFILE/ENOBUFS/ENOMEM accepting rests this long; open connections go on."""
UDP_RECEIVE_BUFFER_BYTES: Final = 16 * MIB
"""Asked of the kernel (SO_RCVBUFFORCE, else SO_RCVBUF up to rmem_max): about 300 ms at 50 000 datagrams/s."""

# --- ingest ---
INBOX_BYTES: Final = 64 * MIB
EVENT_OVERHEAD_BYTES: Final = 900
"""Python objects of one event beside its texts; tests/listen/test_intake.py holds the estimate true."""
BATCH_EVENTS: Final = 8_192
BATCH_BYTES: Final = 16 * MIB
BATCH_DELAY_SECONDS: Final = 0.1

OWN_ACTS_WAITING: Final = 1_000
"""The receiver's own acts that wait for a store that refuses; they are rare, so this is years of them."""

# --- store ---
SEGMENT_EVENTS: Final = 1_000_000
SEGMENT_AGE_SECONDS: Final = 86_400.0
MIN_FREE_BYTES: Final = 256 * MIB
"""Intake stops while the disk is emptier: sealing and SQLite itself need room to finish what they began."""
BUSY_SECONDS: Final = 5.0
CLOCK_STEP_US: Final = 5_000_000
"""A clock step back below this is bridged by holding `received_at`; a larger one opens a new segment."""

INSERT_ROWS: Final = 512
"""Rows of one INSERT: larger statements fall out of the CPU's cache (1000 rows cost 20 % more), smaller ones meet the
GIL more often."""
INSERT_TEXT_CHARS: Final = 512 * KIB
"""Message text of one INSERT; SQLite keeps a cached statement's values until its next use."""
INSERT_STATEMENTS: Final = 32
"""Prepared INSERTs kept; each holds up to 1.2 MB."""
REPEATED_FACTS: Final = 8_192
"""Combinations of repeating columns the inserter remembers; then it starts afresh."""
STORE_MEASURE_SECONDS: Final = 1.0
"""How old the counters of the store's size may be: measuring looks at every file."""
STORE_PAGE_BYTES: Final = 8 * KIB
STORE_CACHE_BYTES: Final = 16 * MIB
WAL_PAGES: Final = 4_000
"""Written back every 32 MiB: a tenth of a second of disk work each 100 000 events."""
SEAL_CACHE_BYTES: Final = 16 * MIB
"""Also what one sort may hold in memory before it goes to a temporary file."""
SEAL_WORD_BYTES: Final = 8 * MIB
"""Full-text entries gathered in memory before they are written."""
SEAL_NICE: Final = 10
SEAL_RETRY_SECONDS: Final = 60.0
"""Rest after a sealing that failed (disk nearly full, as a rule)."""
READ_PAGE_ROWS: Final = 500
"""Rows read from a live segment at a time: between pages no snapshot holds the write-ahead log."""
SCAN_FIRST_ROWS: Final = 2_048
"""Rows of a live segment that a reader looks through before it takes larger slices."""
SCAN_ROWS: Final = 65_536
"""Rows of the largest slice: 0.02 s of one thread."""
SCAN_THREADS: Final = 4
"""Threads a reader scans with, where the machine has as many cores."""
READ_RETRIES: Final = 50
"""Times a reader looks again when a segment vanished under it (it was sealed or pruned)."""
PLAN_COUNT: Final = 20_000
"""How far a reader counts candidates when it chooses an index."""
HOST_FACTS: Final = 1_000
"""Apps and peers listed per host: a hostile sender names millions."""

# --- HTTP out ---
HTTP_REQUEST_BYTES: Final = 16 * KIB
HTTP_CONNECTIONS: Final = 64
HTTP_SECONDS: Final = 10.0
"""For one request to arrive whole, and for one answer to be taken: slow readers and writers are cut off."""
HTTP_IDLE_SECONDS: Final = 120.0
"""Between two requests: longer than the usual 15–60 s between scrapes, so that Prometheus keeps its connection."""
HTTP_LINGER_SECONDS: Final = 1.0
"""Reading on after an error answer: closed with unread bytes, TCP would reset and the peer never see the answer."""

# --- control socket ---
CONTROL_BYTES: Final = 4 * MIB
"""Longest request: 200 000 positions to redact."""
CONTROL_CONNECTIONS: Final = 16
CONTROL_SECONDS: Final = 10.0
"""For a request to arrive, and for its answer to be taken."""

# --- stop ---
STOP_DRAIN_SECONDS: Final = 5.0
"""A sender that goes on cannot hold the stop longer than this."""
STOP_SENDER_BYTES: Final = 4 * MIB
"""A connection on which something still comes is read this far beyond its queue: what a sender wrote before it left
may lie in its own kernel (net.ipv4.tcp_wmem: 4 MiB), waiting for our window."""
STOP_SILENCE_SECONDS: Final = 0.25
"""Such a connection is done after this pause: a window that opens takes a round trip to be filled."""
STOP_BACKLOG_SECONDS: Final = 20.0
"""Datagrams that were read before the stop are parsed and stored; a full backlog takes 5 to 15 s."""
STOP_WRITE_SECONDS: Final = 20.0
"""A store that refuses cannot hold the stop longer than this; with the drain it stays under TimeoutStopSec."""

# --- command line ---
TEMPLATES: Final = 2_000
"""Shapes of messages that `unmatched` tells apart."""
TEMPLATES_KNOWN: Final = 20_000
"""Texts without their values whose shape is remembered: most messages are one of few."""
TAIL_POLL_SECONDS: Final = 0.5
"""How often `tail -f` looks: soon enough for a person, one small query for the store."""
EXPLAIN_LINE_BYTES: Final = 64 * MIB
"""Longest line `explain` reads; a longer one is answered with an error, not with memory."""
