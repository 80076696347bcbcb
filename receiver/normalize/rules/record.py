r"""Texts that are fields by themselves, read into a flat dict of texts: Linux audit records, CEF, LEEF, key=value.

Knows five notations and where the sixth is read, no rule and no column. Every reader is linear and gives None for a
text that is not its own.

linux-audit  `type=T msg=audit(SECONDS.MS:SERIAL): k=v … msg='k=v …'`, the kernel's `audit: type=1400 audit(…): …`,
             and `USER_AUTH pid=1 …` as journald writes it. Fields that a stranger fills are in quotes, or in hex when
             they hold quotes or blanks (the kernel's audit_log_n_untrustedstring): so no value can fake a field. The
             outer fields are the kernel's word and win over those in msg='…'. What auditd adds behind 0x1D
             (AUID="alice") keeps its upper-case name.
cef          ArcSight Common Event Format 0 and 1; csN and cnN are also found under their label.
leef         IBM LEEF 1.0 (tab) and 2.0 (delimiter named in the header).
kv           key=value key="quoted \" value", as logfmt and most firewalls write.
checkpoint   [key:"value"; key:"value"; …], as Check Point's Log Exporter writes where others have structured data, and
             time=…|hostname=…|key=value|…, its form for Splunk.
windows      the text of a Windows security event, by the names its XML has (`windows_text.py`).

A field that stands twice with different values has none (`?`): one of them may be a stranger's. Nor has the field
before either of them: what looks like the next field may be the rest of its value, written without the escapes that
the notation demands. So with a quoted value behind which a quote stands alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from receiver.normalize.rules.windows_text import read_windows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Record = dict[str, str]

# --- linux-audit: audit-userspace's message-dictionary; types from linux/audit.h ---

AUDIT_TYPES: Final = {
    1100: "USER_AUTH", 1101: "USER_ACCT", 1102: "USER_MGMT", 1103: "CRED_ACQ", 1104: "CRED_DISP", 1105: "USER_START",
    1106: "USER_END", 1107: "USER_AVC", 1108: "USER_CHAUTHTOK", 1109: "USER_ERR", 1110: "CRED_REFR",
    1111: "USYS_CONFIG", 1112: "USER_LOGIN", 1113: "USER_LOGOUT", 1114: "ADD_USER", 1115: "DEL_USER",
    1116: "ADD_GROUP", 1117: "DEL_GROUP", 1118: "DAC_CHECK", 1119: "CHGRP_ID", 1120: "TEST", 1121: "TRUSTED_APP",
    1122: "USER_SELINUX_ERR", 1123: "USER_CMD", 1124: "USER_TTY", 1125: "CHUSER_ID", 1126: "GRP_AUTH",
    1127: "SYSTEM_BOOT", 1128: "SYSTEM_SHUTDOWN", 1129: "SYSTEM_RUNLEVEL", 1130: "SERVICE_START",
    1131: "SERVICE_STOP", 1132: "GRP_MGMT", 1133: "GRP_CHAUTHTOK", 1134: "MAC_CHECK", 1135: "ACCT_LOCK",
    1136: "ACCT_UNLOCK", 1137: "USER_DEVICE", 1138: "SOFTWARE_UPDATE",
    1200: "DAEMON_START", 1201: "DAEMON_END", 1202: "DAEMON_ABORT", 1203: "DAEMON_CONFIG", 1205: "DAEMON_ROTATE",
    1206: "DAEMON_RESUME", 1300: "SYSCALL", 1302: "PATH", 1303: "IPC", 1304: "SOCKETCALL", 1305: "CONFIG_CHANGE",
    1306: "SOCKADDR", 1307: "CWD", 1309: "EXECVE", 1319: "TTY", 1320: "EOE", 1321: "BPRM_FCAPS", 1322: "CAPSET",
    1323: "MMAP", 1324: "NETFILTER_PKT", 1325: "NETFILTER_CFG", 1326: "SECCOMP", 1327: "PROCTITLE",
    1328: "FEATURE_CHANGE", 1330: "KERN_MODULE", 1331: "FANOTIFY", 1332: "TIME_INJOFFSET", 1333: "TIME_ADJNTPVAL",
    1334: "BPF", 1335: "EVENT_LISTENER", 1400: "AVC", 1401: "SELINUX_ERR", 1403: "MAC_POLICY_LOAD",
    1404: "MAC_STATUS", 1405: "MAC_CONFIG_CHANGE", 1700: "ANOM_PROMISCUOUS", 1701: "ANOM_ABEND", 1702: "ANOM_LINK",
    1703: "ANOM_CREAT", 1800: "INTEGRITY_DATA", 2000: "KERNEL", 2100: "ANOM_LOGIN_FAILURES", 2101: "ANOM_LOGIN_TIME",
    2102: "ANOM_LOGIN_SESSIONS", 2103: "ANOM_LOGIN_ACCT", 2104: "ANOM_LOGIN_LOCATION", 2105: "ANOM_MAX_DAC",
    2106: "ANOM_MAX_MAC", 2107: "ANOM_AMTU_FAIL", 2108: "ANOM_RBAC_FAIL", 2109: "ANOM_RBAC_INTEGRITY_FAIL",
    2110: "ANOM_CRYPTO_FAIL", 2111: "ANOM_ACCESS_FS", 2112: "ANOM_EXEC", 2113: "ANOM_MK_EXEC",
    2114: "ANOM_ADD_ACCT", 2115: "ANOM_DEL_ACCT", 2116: "ANOM_MOD_ACCT", 2117: "ANOM_ROOT_TRANS",
    2200: "RESP_ANOMALY", 2201: "RESP_ALERT", 2202: "RESP_KILL_PROC", 2203: "RESP_TERM_ACCESS",
    2204: "RESP_ACCT_REMOTE", 2205: "RESP_ACCT_LOCK_TIMED", 2206: "RESP_ACCT_UNLOCK_TIMED", 2207: "RESP_ACCT_LOCK",
    2300: "USER_ROLE_CHANGE", 2301: "ROLE_ASSIGN", 2302: "ROLE_REMOVE", 2303: "LABEL_OVERRIDE",
    2400: "CRYPTO_TEST_USER", 2401: "CRYPTO_PARAM_CHANGE_USER", 2402: "CRYPTO_LOGIN", 2403: "CRYPTO_LOGOUT",
    2404: "CRYPTO_KEY_USER", 2405: "CRYPTO_FAILURE_USER", 2406: "CRYPTO_REPLAY_USER", 2407: "CRYPTO_SESSION",
    2408: "CRYPTO_IKE_SA", 2409: "CRYPTO_IPSEC_SA", 2500: "VIRT_CONTROL", 2501: "VIRT_RESOURCE",
    2502: "VIRT_MACHINE_ID", 1006: "LOGIN", 1016: "TTY_SET",
}  # fmt: skip

_AUDIT = re.compile(
    r"(?:\[ *[\d.]+\] )?(?:node=(?P<node>\S+) )?(?:audit: )?(?:type=(?P<type>[A-Z_0-9\[\]]{1,40}) )?(?:msg=)?"
    r"audit\((?P<time>\d{1,12}(?:\.\d{1,9})?|\d\d/\d\d/\d{2,4} \d\d:\d\d:\d\d\.\d{1,9}):(?P<id>\d{1,20})\) ?: *"
    r"(?P<body>.*)",
    re.DOTALL,
)
_JOURNAL_AUDIT = re.compile(r"(?:<audit-(\d{4})>|AUDIT(\d{4})|([A-Z][A-Z_]{1,40})) (?=\S+=|avc: )")
_AUDIT_TYPE_NAMES: Final = frozenset(AUDIT_TYPES.values())
# rsyslog writes 0x1D as #035; inside of quotes that is text.
_AUDIT_FIELD = re.compile(
    r"""(?:(?<![^\s,(\x1d])|(?<=\#035))([A-Za-z_][\w-]*(?:\[\d+\])?)=("[^"]*"|'[^']*'|(?:(?!\#035)[^\s"'])*)"""
)
_LOST_SEPARATOR = re.compile(r"(?<= res=[01])(?=[A-Z]{2,8}=\")")
_NEXT_FIELD = re.compile(r" [A-Za-z_][\w-]*=")
_HEX = re.compile(r"(?:[0-9A-F]{2})+")
_ARGUMENT = re.compile(r"a\d{1,5}(?:\[\d+\])?")
_UNTRUSTED: Final = frozenset(
    {
        "acct", "cmd", "exe", "comm", "cwd", "name", "proctitle", "data", "key", "path", "dir", "vm", "grp",
        "new_group", "ocomm", "file", "sw", "dev", "device", "root_dir",
    }
)  # fmt: skip
_AVC = re.compile(r"avc: {1,4}(denied|granted) {1,4}\{ ([^}]{1,200}?) \} for ")
NONE: Final = frozenset(
    {"", "?", "-", "(none)", "(null)", "N/A", "unset", "4294967295", "(unknown)", "(unknown user)", "(invalid user)"}
)
"""What stands where a field has no value."""


def _add(record: Record, name: str, value: str) -> None:
    if record.setdefault(name, value) != value:
        record[name] = "?"


def add_all(record: Record, fields: Iterable[tuple[str, str, bool]]) -> None:
    """Add fields in their order. Each with: whether what stands before it shows that the value before was cut short."""
    pairs = list(fields)
    values: dict[str, str] = {}
    doubled = {name for name, value, _ in pairs if values.setdefault(name, value) != value}
    for at, (name, value, is_torn) in enumerate(pairs):
        _add(record, name, value)
        if at and (is_torn or name in doubled):
            record[pairs[at - 1][0]] = "?"


def read_audit(text: str) -> Record | None:
    """Read a record of Linux audit."""
    record, body = _read_audit_head(text)
    if not record:
        return None
    if record["type"] == "LOGIN":  # the kernel's own, all numbers: 0x1D may have been lost on the way
        body = _LOST_SEPARATOR.sub("\x1d", body)
    body, _, enriched = body.partition("\x1d")
    start, inner, end = _split_message(body)
    for part in (start + end, inner):
        for name, value in _audit_fields(part, executed=record["type"] == "EXECVE").items():
            _add_known(record, name, value)
    for name, value in _AUDIT_FIELD.findall(enriched):
        _add_known(record, name, value.strip("\"'"))
    denied = _AVC.match(inner or start)
    if denied:
        record["avc"], record["permission"] = denied[1], denied[2]
    return record


def _read_audit_head(text: str) -> tuple[Record, str]:
    """Return type, node, time and serial number, and the rest of the text; nothing for a text that is no record."""
    head = _AUDIT.match(text)
    if head is None:
        head = _JOURNAL_AUDIT.match(text)
        if head is None:
            return {}, ""
        kind = next(filter(None, head.groups()))
        kind = AUDIT_TYPES.get(int(kind), kind) if kind.isdigit() else kind
        return ({"type": kind}, text[head.end() :]) if kind in _AUDIT_TYPE_NAMES else ({}, "")
    kind = head["type"] or ""
    number = kind.removeprefix("UNKNOWN[").removesuffix("]")
    if number.isdigit():
        kind = AUDIT_TYPES.get(int(number), kind)
    record: Record = {"type": kind, "audit_time": head["time"], "audit_id": head["id"]}
    if head["node"]:
        record["node"] = head["node"]
    return record, head["body"]


def _split_message(body: str) -> tuple[str, str, str]:
    """Cut out what stands in msg='…': up to the last quote, whatever is inside.

    A `msg='` in a name of a stranger's (comm="msg='x") follows on a quote; a blank there would be written in hex.
    """
    at = 0 if body.startswith("msg='") else body.find(" msg='") + 1
    close = body.rfind("'")
    if (at == 0 and not body.startswith("msg='")) or close <= at + 4:
        return body, "", ""
    return body[:at], body[at + 5 : close], body[close + 1 :]


def _add_known(record: Record, name: str, value: str) -> None:
    """Add what auditd tells beside the kernel's fields, unless it says there that it does not know."""
    if not (name.isupper() and value.startswith("unknown(")):
        record.setdefault(name, value)


def _audit_fields(part: str, *, executed: bool) -> Record:
    fields: list[tuple[str, str, bool]] = []
    end = 0
    for field in _AUDIT_FIELD.finditer(part):
        name, value = field.groups()
        is_torn = '"' in part[end : field.start()]
        end = field.end()
        if value[:1] in {'"', "'"}:
            value = value[1:-1]
        else:
            if name == "op":  # the one value with blanks and no quotes: `op=adding user id=1001`
                after = _NEXT_FIELD.search(part, field.end())
                value = part[field.start(2) : after.start() if after else len(part)].strip()
            value = value.rstrip("," if name == "op" or value[:1] == "(" else "),")
            if name in _UNTRUSTED or (executed and _ARGUMENT.fullmatch(name)):
                value = _decoded(value)
        fields.append((name, value, is_torn))
    record: Record = {}
    add_all(record, fields)
    return record


def _decoded(value: str) -> str:
    """Decode hex, as audit writes what would not be safe in quotes; a NUL parts the words of a command line."""
    if not _HEX.fullmatch(value):
        return value
    return bytes.fromhex(value).decode("utf-8", "replace").rstrip("\0").replace("\0", " ")


# --- CEF: ArcSight Common Event Format, implementation standard v26 ---

_CEF_HEADER: Final = (
    "device_vendor", "device_product", "device_version", "device_event_class_id", "name", "severity",
)  # fmt: skip
_PIPE = re.compile(r"(?<!\\)((?:\\\\)*)\|")
_CEF_KEY = re.compile(r"(?:^|(?<=\s))([A-Za-z_][\w.\[\]-]{0,100})=")
_CEF_ESCAPE = re.compile(r"\\([\\=|nr])")
_LABELLED = re.compile(r"((?:cs|cn|c6a|cfp|flexString|flexNumber|deviceCustom\w{1,40}?)\d)Label")


def read_cef(text: str) -> Record | None:
    """Read a message of the Common Event Format."""
    if not text.startswith(("CEF:0|", "CEF:1|")):
        return None
    parts: list[str] = []
    at = 6
    while len(parts) < len(_CEF_HEADER):
        pipe = _PIPE.search(text, at)
        if pipe is None:
            return None
        parts.append(_unescaped(text[at : pipe.end() - 1]))
        at = pipe.end()
    record = dict(zip(_CEF_HEADER, parts, strict=True))
    extension = text[at:]
    keys = list(_CEF_KEY.finditer(extension))
    fields: Record = {}
    ends = (*(key.start() for key in keys[1:]), len(extension))
    values = (_unescaped(extension[key.end() : end].strip()) for key, end in zip(keys, ends, strict=False))
    add_all(fields, ((key[1], value, False) for key, value in zip(keys, values, strict=False)))
    record = {**fields, **record}
    for name in fields:
        labelled = _LABELLED.fullmatch(name)
        if labelled and labelled[1] in record:
            record.setdefault(record[name], record[labelled[1]])
    return record


def _unescaped(value: str) -> str:
    if "\\" not in value:
        return value
    return _CEF_ESCAPE.sub(lambda escape: {"n": "\n", "r": "\r"}.get(escape[1], escape[1]), value)


# --- LEEF: IBM QRadar, Log Event Extended Format 1.0 and 2.0 ---

_LEEF_HEADER: Final = ("device_vendor", "device_product", "device_version", "event_id")


def read_leef(text: str) -> Record | None:
    """Read a message of the Log Event Extended Format. rsyslog writes its tabs as #011."""
    if not text.startswith(("LEEF:1.0|", "LEEF:2.0|")):
        return None
    count = len(_LEEF_HEADER) + (text[5] == "2")
    parts = text.split("|", count + 1)
    if len(parts) < count + 1:
        return None
    record = dict(zip(_LEEF_HEADER, parts[1:], strict=False))
    body = parts[-1] if len(parts) == count + 2 else ""
    delimiter = "\t"
    if text[5] == "2" and "=" in parts[5][1:]:  # some leave the delimiter out
        body = "|".join(parts[5:])
    elif text[5] == "2":
        delimiter = _delimiter(parts[5])
    if delimiter == "\t" and "\t" not in body:
        body = body.replace("#011", "\t")
    fields: Record = {}
    for pair in body.split(delimiter):
        name, equals, value = pair.partition("=")
        if equals:
            _add(fields, name.strip(), value.strip())
    return {**fields, **record}


def _delimiter(named: str) -> str:
    if len(named) == 1:
        return named
    code = named.lower().removeprefix("0").removeprefix("x")
    try:
        return chr(int(code, 16)) if code else "\t"
    except (ValueError, OverflowError):
        return "\t"


# --- key=value ---

_PAIR = re.compile(
    r"""(?:^|(?<=[\s,;]))([A-Za-z_][\w.\-/]{0,100})="""
    r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s"';,]*(?:[;,](?![A-Za-z_][\w.\-/]{0,100}=)[^\s"';,]*)*)""",
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def read_pairs(text: str) -> Record | None:
    """Read key=value pairs; None when there are not at least two."""
    record: Record = {}
    fields = []
    end = 0
    for pair in _PAIR.finditer(text):
        name, value = pair.groups()
        is_quoted = value[:1] in {'"', "'"}
        text_of = _ESCAPED.sub(r"\1", value[1:-1]) if is_quoted else value.rstrip(",;")
        fields.append((name, text_of, '"' in text[end : pair.start()]))
        end = pair.end()
    add_all(record, fields)
    return record if len(record) > 1 else None


# --- Check Point: Log Exporter's syslog form ---

_CHECKPOINT_BEGINS = re.compile(r"(?:(?:CheckPoint )?\d{1,10} - )?(?:(?=\[)|(time=\d{10,13}\|)(?=hostname=))")
_CHECKPOINT_FIELD = re.compile(r'[\[ ]([A-Za-z_][\w .-]{0,80}):"((?:[^"\\]|\\.)*)"(?=;|\])', re.DOTALL)


def read_checkpoint(text: str) -> Record | None:
    """Read what Check Point writes; None when there are not at least two fields."""
    begin = _CHECKPOINT_BEGINS.match(text)
    if begin is None:
        return None
    record: Record = {}
    if begin[1]:
        for pair in text[begin.end() :].split("|"):
            name, equals, value = pair.partition("=")
            if equals:
                _add(record, name, value)
        return record
    for name, value in _CHECKPOINT_FIELD.findall(text, begin.end()):
        _add(record, name, _ESCAPED.sub(r"\1", value))
    return record if len(record) > 1 else None


READERS: Final[dict[str, Callable[[str], Record | None]]] = {
    "linux-audit": read_audit,
    "cef": read_cef,
    "leef": read_leef,
    "kv": read_pairs,
    "checkpoint": read_checkpoint,
    "windows": read_windows,
}
