"""A load generator: mixed audit messages over TCP or UDP, in a process of its own.

Everything is built before the first byte is sent: a pool of distinct messages, joined into blocks of 64 KiB, so that
sending costs this process next to nothing and the receiver has the machine. Knows nothing of the receiver.

Run as ``python -m tests.bench.load``; prints one JSON object: messages, bytes, when it began (CLOCK_MONOTONIC)
and the seconds it took.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import socket
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

POOL = 40_000
"""Distinct messages; sent round and round. More makes start slow and disk use no truer."""
BLOCK_BYTES = 64 * 1024
MEAN_BYTES = 208
"""The mix is weighted to this mean, without terminator or count."""

USERS = [f"{name}{number}" for name in ("anna", "bo", "chen", "dmitri", "eve", "farid", "gus") for number in range(40)]
HOSTS = [f"{kind}-{number:02}" for kind in ("web", "db", "build", "edge") for number in range(15)]
UNITS = ("nginx", "postgresql", "backup", "certbot", "docker", "ssh")
PATHS = ("/api/v1/orders", "/login", "/static/app.js", "/admin/users", "/healthz", "/api/v1/customers/export")


class Pool:
    """Distinct messages of the usual kinds, the same for the same seed and day."""

    def __init__(self, size: int = POOL, seed: int = 1) -> None:
        self._random = random.Random(seed)
        self._time = datetime.now(UTC).replace(microsecond=0)
        # Weights: about what a small fleet sends, set so that the mean is MEAN_BYTES.
        self.kinds = {
            self.structured: 24, self.plain5424: 14, self.json: 18, self.ssh_failed: 10, self.ssh_accepted: 7,
            self.sudo: 7, self.cron: 6, self.pam: 5, self.kernel: 5, self.nginx: 4,
        }  # fmt: skip
        chosen = self._random.choices(list(self.kinds), list(self.kinds.values()), k=size)
        self.messages = [make().encode() for make in chosen]

    def _next(self) -> tuple[str, str, int, str]:
        """A user, a host, a process id and an address; the clock moves on a little."""
        draw = self._random
        self._time += timedelta(microseconds=draw.randrange(1, 900))
        address = f"{draw.randrange(11, 200)}.{draw.randrange(256)}.{draw.randrange(256)}.{draw.randrange(1, 255)}"
        return draw.choice(USERS), draw.choice(HOSTS), draw.randrange(300, 60_000), address

    def _bsd(self, pri: int, host: str, tag: str, text: str) -> str:
        return f"<{pri}>{self._time:%b} {self._time.day:2} {self._time:%H:%M:%S} {host} {tag}: {text}"

    def structured(self) -> str:
        user, host, pid, address = self._next()
        verb = self._random.choice(("user.update", "file.read", "role.grant", "session.login"))
        return (
            f"<{self._random.choice((85, 86, 109))}>1 {self._time.isoformat(timespec='microseconds')} "
            f'{host}.example.net portal {pid} AUDIT [audit@32473 actor="{user}" action="{verb}" '
            f'ip="{address}" target="account:{self._random.choice(USERS)}" outcome="success"]'
            f'[origin software="portal" swVersion="4.{pid % 20}"] request {self._random.getrandbits(48):012x} '
            f"handled for {user}"
        )

    def plain5424(self) -> str:
        user, host, pid, address = self._next()
        return (
            f"<{self._random.choice((86, 38, 30))}>1 {self._time.isoformat(timespec='milliseconds')} {host} "
            f"sshd {pid} - - Accepted publickey for {user} from {address} port {pid} ssh2: "
            f"ED25519 SHA256:{self._random.getrandbits(256):064x}"
        )

    def json(self) -> str:
        user, host, pid, address = self._next()
        event = {
            "timestamp": self._time.isoformat(timespec="milliseconds"), "host": host, "service": "billing",
            "level": "info", "user": user, "action": "invoice.approve", "ip": address,
            "target": f"invoice:{pid}", "outcome": self._random.choice(("success", "failure")),
            "message": f"invoice {pid} decided by {user}",
            "request": {"id": f"{self._random.getrandbits(64):016x}", "ms": pid % 400, "path": "/invoices"},
        }  # fmt: skip
        return json.dumps(event)

    def ssh_failed(self) -> str:
        user, host, pid, address = self._next()
        return self._bsd(
            86, host, f"sshd[{pid}]", f"Failed password for invalid user {user} from {address} port {pid} ssh2"
        )

    def ssh_accepted(self) -> str:
        user, host, pid, address = self._next()
        return self._bsd(86, host, f"sshd[{pid}]", f"Accepted password for {user} from {address} port {pid} ssh2")

    def sudo(self) -> str:
        user, host, _, _ = self._next()
        unit = self._random.choice(UNITS)
        return self._bsd(
            85, host, "sudo", f"  {user} : TTY=pts/0 ; PWD=/home/{user} ; USER=root ; "
            f"COMMAND=/usr/bin/systemctl restart {unit}",
        )  # fmt: skip

    def cron(self) -> str:
        user, host, pid, _ = self._next()
        return self._bsd(78, host, f"CRON[{pid}]", f"({user}) CMD (/usr/local/bin/report --quiet {pid})")

    def pam(self) -> str:
        user, host, pid, _ = self._next()
        return self._bsd(86, host, f"sshd[{pid}]", f"pam_unix(sshd:session): session opened for user {user} by (uid=0)")

    def kernel(self) -> str:
        _, host, pid, address = self._next()
        return self._bsd(
            4, host, "kernel", f"[{pid}.{pid % 999_999:06}] [UFW BLOCK] IN=eth0 OUT= MAC=52:54:00:12:34:56 "
            f"SRC={address} DST=192.0.2.10 LEN=60 TOS=0x00 PREC=0x00 TTL=52 ID={pid} DF PROTO=TCP SPT={pid} DPT=22",
        )  # fmt: skip

    def nginx(self) -> str:
        user, host, pid, address = self._next()
        return self._bsd(
            190, host, "nginx", f'{address} - {user} [{self._time:%d/%b/%Y:%H:%M:%S} +0000] '
            f'"GET {self._random.choice(PATHS)} HTTP/1.1" 200 {pid} "-" "curl/7.88.1"',
        )  # fmt: skip


@dataclass(frozen=True)
class Block:
    """Some 64 KiB of framed messages."""

    data: bytes
    frames: tuple[bytes, ...]


def frame(message: bytes, framing: str) -> bytes:
    """RFC 6587: octet-counted or LF-terminated."""
    return b"%d %b" % (len(message), message) if framing == "counted" else message + b"\n"


def blocks(messages: list[bytes], framing: str) -> list[Block]:
    """Join framed messages into blocks."""
    done: list[Block] = []
    part: list[bytes] = []
    size = 0
    for message in messages:
        part.append(frame(message, framing))
        size += len(part[-1])
        if size >= BLOCK_BYTES:
            done.append(Block(b"".join(part), tuple(part)))
            part, size = [], 0
    if part:
        done.append(Block(b"".join(part), tuple(part)))
    return done


def send_blocks(sock: socket.socket, pool: list[Block], count: int, first: int) -> int:
    """Send exactly `count` messages as fast as they are taken; returns the bytes."""
    sent = 0
    position = first
    while count > 0:
        block = pool[position % len(pool)]
        data = block.data if len(block.frames) <= count else b"".join(block.frames[:count])
        sock.sendall(data)
        sent += len(data)
        count -= len(block.frames)
        position += 1
    return sent


def send_tcp(host: str, port: int, count: int, connections: int, framing: str) -> dict[str, float]:
    """`count` messages over `connections` connections, a thread each (they only wait in `sendall`)."""
    pool = blocks(Pool().messages, framing)
    socks = [socket.create_connection((host, port)) for _ in range(connections)]
    sent = [0] * connections
    share, rest = divmod(count, connections)

    def run(number: int) -> None:
        with socks[number] as sock:
            first = number * len(pool) // connections
            sent[number] = send_blocks(sock, pool, share + (number < rest), first)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(connections)]
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"messages": count, "bytes": sum(sent), "began": begin, "seconds": time.monotonic() - begin}


def send_udp(host: str, port: int, rate: int, seconds: float) -> dict[str, float]:
    """Datagrams at a fixed rate, paced by the millisecond; falling behind is caught up, and told."""
    messages = Pool().messages
    total = int(rate * seconds)
    sent = sent_bytes = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * 1024 * 1024)
        sock.connect((host, port))
        begin = time.monotonic()
        while sent < total:
            due = min(total, int((time.monotonic() - begin) * rate))
            for number in range(sent, due):
                sent_bytes += sock.send(messages[number % POOL])
            sent = due
            time.sleep(0.001)
    return {"messages": sent, "bytes": sent_bytes, "began": begin, "seconds": time.monotonic() - begin}


def hold_idle(host: str, port: int, connections: int) -> None:
    """Open connections, say so in one line, and hold them until standard input ends."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, connections + 100), hard), hard))
    socks = [socket.create_connection((host, port)) for _ in range(connections)]
    print(json.dumps({"connections": len(socks)}), flush=True)
    sys.stdin.read()
    for sock in socks:
        sock.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("tcp", "udp", "idle"))
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--count", type=int, default=500_000, help="tcp: messages")
    parser.add_argument("--connections", type=int, default=4, help="tcp, idle")
    parser.add_argument("--framing", choices=("lf", "counted"), default="lf", help="tcp")
    parser.add_argument("--rate", type=int, default=50_000, help="udp: datagrams a second")
    parser.add_argument("--seconds", type=float, default=10.0, help="udp")
    given = parser.parse_args()
    if given.kind == "idle":
        hold_idle(given.host, given.port, given.connections)
    elif given.kind == "udp":
        print(json.dumps(send_udp(given.host, given.port, given.rate, given.seconds)))
    else:
        print(json.dumps(send_tcp(given.host, given.port, given.count, given.connections, given.framing)))


if __name__ == "__main__":
    main()
