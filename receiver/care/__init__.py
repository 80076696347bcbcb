"""The care of a log that is being written: signing, announcing, retention, redaction, holds; and what may be asked for.

`checkpointer.py` signs the head and compares a store with what was signed; `keeper.py` does what is due at intervals;
`requests.py` is what the control socket may ask for; `loss_watch.py` turns what was lost or
refused, `silence_watch.py` hosts that say nothing, into events of the log.
"""
