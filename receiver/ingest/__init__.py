"""The bounded inbox, batching, acknowledgement, conservation. Knows no socket and no SQLite: it is given a sink."""

from receiver.ingest.batch_writer import BatchWriter
from receiver.ingest.clock import Clock
from receiver.ingest.inbox import Batch, Inbox, Settled

__all__ = ["Batch", "BatchWriter", "Clock", "Inbox", "Settled"]
