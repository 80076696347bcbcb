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

# --- GELF over UDP (Graylog's documented limits: 128 chunks, 5 seconds) ---
GELF_CHUNKS: Final = 128
GELF_ASSEMBLY_SECONDS: Final = 5.0
GELF_ASSEMBLY_BYTES: Final = 16 * MIB
GELF_ASSEMBLIES: Final = 4096
"""Open assemblies: the oldest makes way, so that spoofed first chunks cannot keep honest ones out."""
INFLATED_BYTES: Final = 1 * MIB
"""Largest message after decompression: zlib reaches 1000:1, so a datagram could become 64 MiB."""

# --- one socket ---
STREAM_READ_BYTES: Final = 128 * KIB
"""One read of a stream: some 600 messages, 4 ms of parsing; longer reads make the loop unfair."""
STREAM_READ_FULL_BYTES: Final = 4 * KIB
"""One read while the inbox is full: what a held connection keeps in memory (10 000 of them: 40 MiB)."""
DATAGRAM_BYTES: Final = 65_535
DATAGRAM_DRAIN: Final = 512
"""Datagrams taken per wake-up: some 4 ms of parsing, then the loop turns."""
LINE_IDLE_SECONDS: Final = 5.0
"""A line without terminator is taken after this silence (devices that never send the last LF)."""
TLS_HANDSHAKE_SECONDS: Final = 10.0
CONNECTIONS: Final = 20_000
CONNECTIONS_PER_PEER: Final = 12_000
"""High: a load balancer or NAT hides many senders behind one address."""
LISTEN_BACKLOG: Final = 1024
ACCEPT_PAUSE_SECONDS: Final = 0.5
"""After EMFILE/ENFILE/ENOBUFS/ENOMEM accepting rests this long; open connections go on."""
UDP_RECEIVE_BUFFER_BYTES: Final = 16 * MIB
"""Asked of the kernel (SO_RCVBUFFORCE, else SO_RCVBUF up to rmem_max): about 300 ms at 50 000 datagrams/s."""

# --- ingest ---
INBOX_BYTES: Final = 64 * MIB
EVENT_OVERHEAD_BYTES: Final = 1_200
"""Python objects of one event beside its texts; tests/ingest holds the estimate true."""
BATCH_EVENTS: Final = 8_192
BATCH_BYTES: Final = 16 * MIB
BATCH_DELAY_SECONDS: Final = 0.1

# --- store ---
SEGMENT_EVENTS: Final = 1_000_000
SEGMENT_AGE_SECONDS: Final = 86_400.0
MIN_FREE_BYTES: Final = 256 * MIB
"""Intake stops while the disk is emptier: sealing and SQLite itself need room to finish what they began."""
BUSY_SECONDS: Final = 5.0
CLOCK_STEP_US: Final = 5_000_000
"""A clock step back below this is bridged by holding `received_at`; a larger one opens a new segment."""

# --- HTTP out ---
HTTP_REQUEST_BYTES: Final = 16 * KIB
HTTP_CONNECTIONS: Final = 64
HTTP_SECONDS: Final = 10.0

# --- stop ---
STOP_DRAIN_SECONDS: Final = 5.0
"""A sender that goes on cannot hold the stop longer than this."""
