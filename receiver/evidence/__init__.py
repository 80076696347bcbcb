"""What makes the log provable: leaves, the Merkle tree, signed checkpoints, proofs. Pure: no SQLite, no I/O, no clock.

Exact bytes: RFC 6962 §2.1, RFC 9162 §2.1.3–2.1.4, RFC 8785, and C2SP's signed-note, tlog-checkpoint,
tlog-cosignature, tlog-tiles, tlog-proof and tlog-witness. Nothing here is our own invention except the entry.
"""
