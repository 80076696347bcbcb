"""Verifying a store: everything is computed again from the rows, and compared with all that was ever signed.

Knows the store's files, read-only, and the evidence room; writes nothing, believes nothing that is not signed or
hashed. `rows.py` reads ranges of rows, in several processes; `collect.py` runs them and puts the tree together;
`checks.py` compares it with checkpoints, redactions, removals and digests; `prometheus.py` fetches recorded heads;
`memory.py` remembers what was verified; `report.py` is what comes out.
"""

from __future__ import annotations
