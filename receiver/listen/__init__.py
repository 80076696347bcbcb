"""Sockets, each: read → framer → intake → inbox. Knows no SQLite and no rule's content."""

from receiver.listen.activation import inherited_sockets
from receiver.listen.listeners import Listeners, ListenerStatus, open_listeners, read_secrets
from receiver.listen.settings import ListenerSettings, ListenLimits, TlsSettings

__all__ = [
    "ListenLimits",
    "ListenerSettings",
    "ListenerStatus",
    "Listeners",
    "TlsSettings",
    "inherited_sockets",
    "open_listeners",
    "read_secrets",
]
