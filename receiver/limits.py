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

HALF_READ_BYTES: Final = 24 * MIB
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
"""Chunks that wait for others, of one listener: 64 of the longest messages, or 11 000 chunks of a usual size."""
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
RELP_ANSWER_SECONDS: Final = 30.0
"""A sender that reads none of its answers for this long is closed; meanwhile nothing is read of it."""
RELP_PARTING_SECONDS: Final = 1.0
"""After the last answers of a stop, for the sender to read them and close."""
RELP_SEGMENT_BYTES: Final = 1_460
"""TCP segment that RELP listeners ask for, as on Ethernet. rsyslog corks its socket (TCP_CORK, 200 ms) while it sends:
on loopback, whose segments hold 64 KiB, a window of 128 messages filled none and waited: 680 messages/s, now 5 600."""
LINE_IDLE_SECONDS: Final = 5.0
"""A line without terminator is taken after this silence (devices that never send the last LF)."""
TLS_HANDSHAKE_SECONDS: Final = 10.0
IDENTITY_CHARS: Final = 1_024
"""Names of a client's certificate in `peer_identity`: some have thousands, and each event bears it. The fingerprint,
always whole, says which certificate it was."""
CERTIFICATE_LOOK_SECONDS: Final = 10.0
"""Between two looks whether certificate files were replaced; taken over at the second look that sees them the same."""
PROXY_HEADER_SECONDS: Final = 10.0
"""For the PROXY header of a load balancer, which sends it at once; the specification asks for at least 3 s."""
PROXY_HEADER_BYTES: Final = 4 * KIB
"""Longest header of version 2. Addresses take 232 bytes at most; a client certificate handed on 2 or 3 KiB."""
CONNECTIONS: Final = 20_000
CONNECTIONS_PER_PEER: Final = 12_000
"""High: a load balancer or NAT hides many senders behind one address."""
IDLE_SECONDS: Final = 8 * 86_400.0
"""A connection that says nothing for this long gives its seat back. Keepalive finds senders that are gone; this is for
those that are there. A plain syslog sender that does not look before it writes loses its first message after the
close, so the bound is beyond a weekly job's rhythm."""
IDLE_LOOKS: Final = 8
"""Looks at all connections within the time after which one is idle: a connection goes at most an eighth of it late."""
RATE_PER_PEER: Final = 0
"""Messages per second and address; 0 is no bound. Off, since a relay, NAT or load balancer hides many senders behind
one address, and memory is bounded without it."""
RATE_BURST_SECONDS: Final = 10.0
"""What a peer may send at once, as seconds of its rate: a restart of a service, a stack trace."""
RATE_PEERS: Final = 8_192
"""Peers whose rate is remembered: 1 MiB; the one that sent nothing for longest makes way."""
RATE_FLOOR: Final = 2
"""Severity crit: messages as urgent as this are never dropped for their peer's rate."""
URGENCY_BYTES: Final = 8 * KIB
"""How far a JSON object is searched for its severity before it is dropped."""
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
FILES_KEPT: Final = 128
"""File descriptors that connections may not have: a segment, its sealing and `evidence.db` need some 20, HTTP 64."""
UDP_RECEIVE_BUFFER_BYTES: Final = 16 * MIB
"""Asked of the kernel (SO_RCVBUFFORCE, else SO_RCVBUF up to rmem_max): about 300 ms at 50 000 datagrams/s."""

# --- ingest ---
INBOX_BYTES: Final = 64 * MIB
EVENT_OVERHEAD_BYTES: Final = 900
"""Python objects of one event beside its texts; tests/listen/test_intake.py holds the estimate true."""
BATCH_EVENTS: Final = 8_192
BATCH_BYTES: Final = 8 * MIB
"""With 16 MiB of the longest messages in a batch the process is 10 MiB larger while it is written."""
BATCH_DELAY_SECONDS: Final = 0.1
COMMIT_SLOW_SECONDS: Final = 5.0
"""A commit that takes longer makes the receiver unready: the disk is in trouble, and the inbox fills meanwhile."""
COMMIT_PATIENCE_SECONDS: Final = 300.0
"""A commit that waits for the disk feeds the watchdog for so long: being killed would cost what is in memory, and a
disk that stalls (a controller's reset, a volume of a cloud) comes back; one that does not has its alert."""

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
DELIVERED_IDS: Final = 262_144
"""Ids of deliveries remembered, so that a resend is recognised: minutes of a busy sender, and a lost answer is followed
by a resend within seconds. 12 MiB of the live segment, carried over to the next in half a second."""
DELIVERED_FLOOR: Final = 1_024
"""Ids of one sender that no other can push out while somebody remembers more: a few windows of the usual ones. Where
nobody does, hundreds of senders are busy or long gone, and the oldest of all make way."""
DELIVERED_EVICTED: Final = 4_096
"""Ids that make way at once when the table is full: looking for those of one sender may read all of it, 20 ms."""
DELIVERY_ID_BYTES: Final = 16
DELIVERY_SENDER_BYTES: Final = 4
"""The first bytes of an id stand for its sender, so that the table can be shared fairly; 96 bits are left for what it
called the event."""
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
HTTP_BLANKS: Final = 256
"""So many blanks in a row in a header field are refused: reading them takes time by their square."""
HTTP_CONNECTIONS: Final = 64
HTTP_SECONDS: Final = 10.0
"""For one request to arrive whole, and for one answer to be taken: slow readers and writers are cut off."""
HTTP_IDLE_SECONDS: Final = 120.0
"""Between two requests: longer than the usual 15–60 s between scrapes, so that Prometheus keeps its connection."""
HTTP_LINGER_SECONDS: Final = 1.0
"""Reading on after an error answer: closed with unread bytes, TCP would reset and the peer never see the answer."""

# --- HTTP in ---
HTTP_BODY_BYTES: Final = 100 * MIB
"""One request to /ingest or _bulk, unpacked; Elasticsearch's own bound. It is taken in pieces, so this bounds what a
sender must send again when the answer is lost, not memory."""
HTTP_RATIO: Final = 200
"""Unpacked to packed size of a body: zlib reaches 1000:1, logs some 30:1, very repetitive ones 100:1."""
HTTP_ITEMS: Final = 100_000
"""Events in one request to _bulk: its answer names each, in some 150 bytes. Senders use 50 to 5000."""
HTTP_PIECE_TURN: Final = 4
"""Unpacked pieces (64 KiB) taken per turn of the loop: some 20 ms, then the others have theirs."""
HTTP_IN_IDLE_SECONDS: Final = 600.0
"""Between two requests of a sender: closing races with its next request, so seldom."""
HTTP_BODY_SECONDS: Final = 60.0
"""Silence within a body after which it is given up."""
HTTP_BODY_RATE: Final = 500
"""Bytes a second that a body must bring, as Apache's mod_reqtimeout asks for: who is slower uses up the time that
silence has. Not where a body has no end by design (a journal's)."""
HTTP_ANSWER_SECONDS: Final = 30.0
"""For a commit, and for room in the inbox; then 503, and the sender comes again. Some clients give up after 60 s."""
HTTP_TAKE_SECONDS: Final = 30.0
"""For an answer to be taken; meanwhile nothing is read of the peer."""
HTTP_RETRY_SECONDS: Final = 10
"""What Retry-After says."""
JOURNAL_FIELDS: Final = 1_024
"""Fields of one journal entry: journald's own bound."""
TOKEN_CHARS: Final = 16
"""Shortest bearer token: with fewer it could be guessed."""
TOKEN_FILE_BYTES: Final = MIB

# --- control socket ---
CONTROL_BYTES: Final = 4 * MIB
"""Longest request: 200 000 positions to redact."""
CONTROL_CONNECTIONS: Final = 16
CONTROL_SECONDS: Final = 10.0
"""For a request to arrive, and for its answer to be taken."""

# --- expected hosts ---
SILENT_SECONDS: Final = 3_600.0
"""A host that logs nothing for an hour is down or cut off: cron alone speaks more often on most."""

# --- care of the log ---
CARE_SECONDS: Final = 1.0
"""Between two looks at what is to be announced, removed or erased."""
FILES_SECONDS: Final = 604_800.0
"""Between two comparisons of all sealed files with their digests; the first is at the start."""
FILE_PIECE_BYTES: Final = MIB
"""Read of a sealed file at once: some milliseconds, in which a stop waits."""
FILE_REST: Final = 4.0
"""How many times as long as a piece took the next one waits: a fifth of one core and of the disk at most."""
RETENTION_SECONDS: Final = 600.0
"""Between two looks at what retention removes: a tenth of an hour of a disk that fills."""
RETENTION_REST_SECONDS: Final = 86_400.0
"""After the clock jumped ahead nothing is removed for a day: set wrong, it would make every event look old."""
RETENTION_HURRY_SECONDS: Final = 10.0
"""The same while intake is held for lack of disk: what may go is what lets it on again."""
SHORTER_LIFE_SECONDS: Final = 86_400.0
"""Between two rewritings of sealed segments for events with a shorter life: each costs a sealing."""
ERASE_SECONDS: Final = 300.0
"""How long a redaction waits for readers and sealing before it says that it is pending; it goes on by itself."""
ERASE_POLL_SECONDS: Final = 0.2
NAMED_RANGES: Final = 5_000
"""Ranges that one event of the log names: some 100 KB of JSON."""
REDACT_SEQS: Final = 5_000_000
"""Positions of one request to redact; more is retention's work."""

# --- stop ---
STOP_DRAIN_SECONDS: Final = 5.0
"""A sender that goes on cannot hold the stop longer than this."""
STOP_SENDER_BYTES: Final = 4 * MIB
"""A connection on which something still comes is read this far beyond its queue: what a sender wrote before it left
may lie in its own kernel (net.ipv4.tcp_wmem: 4 MiB), waiting for our window."""
STOP_SILENCE_SECONDS: Final = 0.25
"""Such a connection is done after this pause: a window that opens takes a round trip to be filled."""
STOP_BACKLOG_SECONDS: Final = 20.0
"""What had come at the signal, in queues and backlogs, is stored within this much more: a full backlog of datagrams
takes 5 to 15 s, and a full inbox of 64 MiB as long on a slow disk."""
STOP_WRITE_SECONDS: Final = 20.0
"""A store that refuses cannot hold the stop longer than this; with the drain it stays under TimeoutStopSec."""
STOP_PUBLISH_SECONDS: Final = 5.0
"""For the last checkpoint to leave the machine; where it does not, the next start sends a newer one."""

# --- command line ---
TEMPLATES: Final = 2_000
"""Shapes of messages that `unmatched` tells apart."""
TEMPLATES_KNOWN: Final = 20_000
"""Texts without their values whose shape is remembered: most messages are one of few."""
TAIL_POLL_SECONDS: Final = 0.5
"""How often `tail -f` looks: soon enough for a person, one small query for the store."""
EXPLAIN_LINE_BYTES: Final = 64 * MIB
"""Longest line `explain` reads; a longer one is answered with an error, not with memory."""
