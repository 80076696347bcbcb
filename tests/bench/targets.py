"""What is measured: our receiver, and syslog-ng writing the same load to SQLite as the yardstick.

Both are real processes spoken to over real sockets; both are counted in their files, never by what they claim.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, Self

from tests.kit.process import ReceiverProcess, free_ports, running, wait_for
from tests.kit.syslog_ng import SyslogNg

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from subprocess import Popen
    from types import TracebackType


def ask(file: Path, sql: str) -> Any:
    """One value from a database that somebody else may be writing."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=5)) as database:
            return database.execute(sql).fetchone()[0]
    except sqlite3.OperationalError:  # not made yet, or just sealed away
        return None


class OurReceiver:
    """`audit-receiver run` with the defaults, on a store of its own."""

    name = "audit-receiver"

    def __init__(self, folder: Path, *, min_free: str = "256MiB") -> None:
        self.folder = folder
        self.store = folder / "store"
        self.process = ReceiverProcess.with_syslog(folder, store={"path": "store", "min_free_bytes": min_free})

    def __enter__(self) -> Self:
        self.process.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        code = self.process.stop()
        if code:
            print(f"receiver ended with {code}:\n{self.process.log[-2000:]}")

    @property
    def port(self) -> int:
        return self.process.port

    @property
    def pid(self) -> int:
        return self.process.pid

    def _segments(self) -> list[Path]:
        """Newest last; where `A-B.db` exists, `A-.db` no longer counts."""
        by_first: dict[int, Path] = {}
        for path in sorted(self.store.glob("*-*.db")):  # "A-.db" sorts before "A-B.db"
            by_first[int(path.stem.partition("-")[0])] = path
        return [by_first[first] for first in sorted(by_first)]

    def last_row(self) -> int:
        """How far the log goes, cheaply: rows so far, the receiver's own among them."""
        for path in reversed(self._segments()):
            last = ask(path, "SELECT max(seq) FROM events")
            if last is not None:
                return int(last) + 1
        return 0

    def rows(self, first: int = 0) -> int:
        """Count the rows that came from outside."""
        where = f"seq >= {first} AND transport <> 'internal'"
        counts = (ask(path, f"SELECT count(*) FROM events WHERE {where}") for path in self._segments())
        return sum(int(count or 0) for count in counts)

    def settle(self) -> None:
        """Wait until nothing is left to seal, so that its cost and the final files are in the figures."""
        wait_for(lambda: len(list(self.store.glob("*-.db"))) <= 1 and not any(self.store.glob("*.tmp")), 300, "sealed")

    def stored_bytes(self) -> int:
        return sum(path.stat().st_size for path in self.store.glob("*.db*"))


SYSLOG_NG_CONFIG = """\
options {{ keep-hostname(yes); use-dns(no); }};
source load {{
    network(ip("127.0.0.1") port({port}) transport("tcp") flags(syslog-protocol)
            max-connections(64) log-iw-size(400000) log-fetch-limit(2000));
}};
destination database {{
    sql(type(sqlite3) database("{database}") table("events") indexes()
        columns({columns}) values({values})
        session-statements("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL")
        flags(explicit-commits) batch-lines(5000) batch-timeout(500) log-fifo-size(600000));
}};
log {{ source(load); destination(database); flags(flow-control); }};
"""
"""5000 rows a transaction, WAL, synced, no indexes."""

FEW_COLUMNS = {"received_at": "R_UNIXTIME", "host": "HOST", "message": "MSG"}
"""Hardly more than the line: what it does fastest."""
ALL_COLUMNS = {
    "received_at": "R_ISODATE", "time": "S_ISODATE", "host": "HOST", "app": "PROGRAM", "pid": "PID",
    "msgid": "MSGID", "facility": "FACILITY", "severity": "LEVEL", "peer": "SOURCEIP", "message": "MSG",
    "data": "SDATA",
}  # fmt: skip
"""What it parsed of the header; it knows neither JSON nor who did what."""


class SyslogNgToSqlite:
    """The yardstick, with the columns given."""

    def __init__(self, folder: Path, columns: Mapping[str, str]) -> None:
        found = SyslogNg.find()
        assert found is not None
        self.syslog_ng = found
        self.folder = folder
        self.name = f"syslog-ng, {len(columns)} columns"
        self.database = folder / "events.db"
        self._columns = columns
        (self.port,) = free_ports(1)
        self._process: Popen[bytes]

    @classmethod
    def is_there(cls) -> bool:
        found = SyslogNg.find()
        return found is not None and found.writes_sqlite

    def __enter__(self) -> Self:
        columns = ", ".join(f'"{name} text"' for name in self._columns)
        values = ", ".join(f'"${{{macro}}}"' for macro in self._columns.values())
        config = SYSLOG_NG_CONFIG.format(port=self.port, database=self.database, columns=columns, values=values)
        command = self.syslog_ng.command(self.folder, config)
        self._running = running(command, self.folder / "syslog-ng.log", env=self.syslog_ng.environ)
        self._process = self._running.__enter__()
        wait_for((self.folder / "control").exists, what="syslog-ng")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.__exit__(kind, error, trace)

    @property
    def pid(self) -> int:
        return self._process.pid

    def last_row(self) -> int:
        return int(ask(self.database, "SELECT max(rowid) FROM events") or 0)

    def rows(self, first: int = 0) -> int:
        return int(ask(self.database, f"SELECT count(*) FROM events WHERE rowid > {first}") or 0)

    def settle(self) -> None:
        """Nothing to wait for: it never indexes."""

    def stored_bytes(self) -> int:
        return sum(path.stat().st_size for path in self.folder.glob("events.db*"))
