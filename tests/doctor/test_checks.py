"""Every fault is found by its check, said in a sentence, and mended by something that can be typed or written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.config import Config
from receiver.doctor import CHECKS, Clock, Facts, Host, KeyFolderFacts, Running, State, Unit, examine
from receiver.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NOW = 1_764_000_000.0
GIB = 1024**3
LABEL_SETS = {row.name: row.labels for row in METRICS}
LISTENER = {"name": "syslog", "type": "udp", "listen": "*:514", "allow": ["10.0.0.0/8"]}
SOUND_CONFIG: dict[str, Any] = {
    "listeners": [LISTENER],
    "publish": [{"name": "elsewhere", "type": "syslog", "to": "tls://log2.example.org:6514"}],
    "retention": {"max_age": "400d"},
}
SOUND_SAMPLES: dict[str, Mapping[tuple[str, ...], float]] = {
    "ready": {(): 1},
    "events_dropped_total": {("inbox_full",): 0, ("duplicate",): 7, ("rate_limited",): 0},
    "udp_kernel_drops_total": {("syslog",): 0},
    "udp_receive_buffer_bytes": {("syslog",): 16 * 1024**2},
    "last_commit_timestamp_seconds": {(): NOW - 2},
    "checkpoint_timestamp_seconds": {(): NOW - 30},
    "start_timestamp_seconds": {(): NOW - 9_000},
    "segments": {("sealed",): 12, ("unsealed",): 2},
    "store_bytes": {(): 10 * GIB},
    "oldest_event_timestamp_seconds": {(): NOW - 100 * 86_400},
    "checkpoint_publish_timestamp_seconds": {("elsewhere",): NOW - 40},
    "tls_certificate_not_after_timestamp_seconds": {("tls",): NOW + 90 * 86_400},
    "host_silent": {("web-1",): 0},
    "parse_results_total": {("syslog", "ok"): 10_000, ("syslog", "failed"): 3},
    "event_time_skew_seconds": {("syslog",): 1.5},
}
SOUND_HOST = Host(
    now=NOW, rmem_max=212_992, clock=Clock(True, 0.01), disk_free=100 * GIB, files=65_536,
    keys=KeyFolderFacts(Path("/var/lib/audit-receiver/keys"), 0o700, (), False), udp_drops={514: 0},
    unit=Unit("active", "success", 0, 65_536),
)  # fmt: skip


def facts(
    config: Mapping[str, Any] | None = None,
    samples: Mapping[str, Mapping[tuple[str, ...], float]] | None = None,
    problems: tuple[str, ...] = (),
    **host: Any,
) -> Facts:
    """A sound receiver on a sound host, but for this."""
    found = {f"audit_receiver_{name}": value for name, value in {**SOUND_SAMPLES, **(samples or {})}.items()}
    return Facts(
        Config.model_validate({**SOUND_CONFIG, **(config or {})}), Path("/etc/audit-receiver/config.yaml"),
        replace(SOUND_HOST, **host), Running(7, problems, found),
    )  # fmt: skip


def test_a_sound_receiver_is_left_in_peace() -> None:
    # Advice that is always given is not read.
    assert examine(facts()) == []


def test_the_metrics_it_asks_for_exist_with_these_labels() -> None:
    # A misspelt name would find nothing for ever; labels stand in the order of their names.
    for name, values in SOUND_SAMPLES.items():
        assert len(LABEL_SETS[f"audit_receiver_{name}"]) == len(next(iter(values))), name
    assert tuple(sorted(LABEL_SETS["audit_receiver_parse_results_total"])) == ("listener", "status")


class Case(NamedTuple):
    id: str
    make: Callable[[], Facts]
    check: str
    state: State
    says: str
    mend: str


MEND, ADVICE = State.MEND, State.ADVICE
CASES = [
    Case("stopped", lambda: replace(facts(), running=None), "running", MEND, "No receiver runs",
         "systemctl start audit-receiver"),
    Case("stopped-below-1024", lambda: replace(facts(config={"listeners": [
            {"name": "a", "type": "tcp", "listen": "*:514", "allow": ["10.0.0.0/8"]}]}), running=None), "running", MEND,
         "No receiver runs", "systemctl start audit-receiver-syslog.socket audit-receiver"),
    Case("not-ours", lambda: replace(facts(), running=None, unreachable="control.sock: Permission denied"), "running",
         MEND, "Permission denied", "sudo audit-receiver doctor --config /etc/audit-receiver/config.yaml"),
    Case("not-ready", lambda: facts(problems=("the inbox is full",)), "ready", MEND, "the inbox is full",
         "journalctl -u audit-receiver"),
    Case("altered", lambda: facts(samples={"evidence_alarm": {(): 1}}), "evidence", MEND, "altered or rolled back",
         "audit-receiver verify --config"),
    Case("dropped", lambda: facts(samples={"events_dropped_total": {("inbox_full",): 17}}), "dropped", MEND,
         "17 received messages", "RELP"),
    Case("kernel", lambda: facts(samples={"udp_kernel_drops_total": {("syslog",): 5}}), "kernel-drops", MEND,
         "5 datagrams of syslog", "sysctl -w net.core.rmem_max=16777216"),
    Case("small-buffer", lambda: facts(samples={"udp_receive_buffer_bytes": {("syslog",): 212_992}}), "udp-buffer",
         MEND, "208.0 KiB", "sysctl -w net.core.rmem_max=16777216"),
    Case("few-files", lambda: facts(files=1_024), "descriptors", MEND, "may open 1024 files", "LimitNOFILE="),
    Case("few-files-of-the-unit", lambda: facts(files=None, unit=Unit("active", "success", 0, 4_096)), "descriptors",
         MEND, "may open 4096 files", "systemctl edit audit-receiver"),
    Case("stalled", lambda: facts(samples={"events_in_flight": {(): 9}, "last_commit_timestamp_seconds": {(): NOW - 90},
                                           "checkpoint_timestamp_seconds": {(): NOW - 80}}),
         "commits", MEND, "9 events wait", "journalctl"),
    Case("write-errors", lambda: facts(samples={"write_errors_total": {(): 2}}), "commits", ADVICE, "2 commits failed",
         "journalctl"),
    Case("backlog", lambda: facts(samples={"segments": {("unsealed",): 9}}), "sealing", MEND, "9 segments", "df -h"),
    Case("seal-errors", lambda: facts(samples={"segment_seal_errors_total": {(): 1}}), "sealing", MEND,
         "1 sealings failed", "df -h"),
    Case("unsigned", lambda: facts(samples={"checkpoint_timestamp_seconds": {(): NOW - 1_200}}), "checkpoint", MEND,
         "20 minutes", "journalctl"),
    Case("unpublished", lambda: facts(samples={"checkpoint_publish_timestamp_seconds": {("elsewhere",): NOW - 7_200},
                                               "checkpoint_publish_failures_total": {("elsewhere",): 40}}),
         "publish", MEND, "do not reach elsewhere", "grep elsewhere"),
    Case("nowhere-published", lambda: facts({"publish": []}), "publish", ADVICE, "stay on this machine", "publish:"),
    Case("certificate-ends", lambda: facts(samples={"tls_certificate_not_after_timestamp_seconds":
                                                    {("tls",): NOW + 5 * 86_400}}),
         "certificate", MEND, "ends in 5 days", "systemctl reload"),
    Case("certificate-ended", lambda: facts(samples={"tls_certificate_not_after_timestamp_seconds":
                                                     {("tls",): NOW - 9}}),
         "certificate", MEND, "has ended", "renew"),
    Case("silent", lambda: facts(samples={"host_silent": {("web-1",): 1},
                                          "host_last_seen_timestamp_seconds": {("web-1",): NOW - 7_200}}),
         "silent-host", MEND, "web-1 is silent for 2 hours", "ssh web-1"),
    Case("silent-shortly", lambda: facts(samples={"host_silent": {("web-1",): 1},
                                                  "host_last_seen_timestamp_seconds": {("web-1",): NOW - 7}}),
         "silent-host", MEND, "web-1 is silent for 7 seconds", "ssh web-1"),
    Case("silent-evil", lambda: facts(samples={"host_silent": {("a; rm -rf /",): 1}}), "silent-host", MEND,
         "since the start", "ssh 'a; rm -rf /'"),
    Case("unreadable", lambda: facts(samples={"parse_results_total": {("syslog", "ok"): 90, ("syslog", "failed"): 30}}),
         "parsing", ADVICE, "25% of what syslog gets", "audit-receiver unmatched"),
    Case("skew", lambda: facts(samples={"event_time_skew_seconds": {("syslog",): -3_600}}), "skew", ADVICE,
         "3600 s ahead", "timedatectl"),
    Case("clock", lambda: facts(clock=Clock(False, 16.0)), "clock", MEND, "not synchronised",
         "timedatectl set-ntp true"),
    Case("clock-uncertain", lambda: facts(clock=Clock(True, 9.0)), "clock", MEND, "not synchronised", "timesyncd"),
    Case("disk-full", lambda: facts(disk_free=100 * 1024**2), "disk", MEND, "nothing is taken in", "prune --dry-run"),
    Case("disk-a-week", lambda: facts(disk_free=GIB // 2), "disk", MEND, "lasts 2 days", "retention:"),
    Case("disk-a-month", lambda: facts(disk_free=4 * GIB), "disk", ADVICE, "lasts 38 days", "larger disk"),
    Case("for-ever", lambda: facts({"retention": {}}), "retention", ADVICE, "kept for ever", "retention.max_age"),
    Case("keys-in-store", lambda: facts(keys=KeyFolderFacts(Path("/s/store/keys"), 0o700, (), True)), "keys", MEND,
         "lie in the store", "evidence.key_dir"),
    Case("keys-folder", lambda: facts(keys=KeyFolderFacts(Path("/s/my keys"), 0o755, (), False)), "keys", MEND,
         "mode 755", "chmod 700 '/s/my keys'"),
    Case("keys-file", lambda: facts(keys=KeyFolderFacts(Path("/s/keys"), 0o700, ("store.key",), False)), "keys", MEND,
         "store.key can be read", "chmod 600 /s/keys/store.key"),
    Case("unit-failed", lambda: facts(unit=Unit("failed", "exit-code", 0, 65_536)), "unit", MEND, "exit-code",
         "journalctl"),
    Case("unit-restarts", lambda: facts(unit=Unit("active", "success", 3, 65_536)), "unit", ADVICE, "3 times",
         "journalctl"),
    Case("unit-unknown", lambda: replace(facts(unit=None, has_systemd=True), unit_name="nope", unit_wanted=True),
         "unit", MEND, "There is no service nope", "systemctl list-units"),
    Case("unit-nowhere", lambda: replace(facts(unit=None), unit_name="nope", unit_wanted=True), "unit", ADVICE,
         "systemd does not run here", "leave out --unit"),
    Case("open-door", lambda: facts({"listeners": [{k: v for k, v in LISTENER.items() if k != "allow"}]}), "allow",
         MEND, "everyone who can reach *:514", "`allow:` of syslog"),
    Case("public-door", lambda: facts({"listeners": [{"name": "x", "type": "tcp", "listen": "[2001:db9::1]:514"}]}),
         "allow", MEND, "everyone who can reach", "allow:"),
    Case("public-http", lambda: facts({"http": {"listen": "0.0.0.0:9514"}}), "http", MEND, "Metrics and health",
         "127.0.0.1:9514"),
    Case("held-socket-drops", lambda: replace(facts(udp_drops={514: 12}), running=None), "kernel-drops", MEND,
         "12 datagrams to port 514", "systemctl start"),
    Case("small-rmem", lambda: replace(facts(), running=None), "udp-buffer", ADVICE, "rmem_max is 208.0 KiB",
         "sysctl -w net.core.rmem_max="),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_fault_is_found_and_mended(case: Case) -> None:
    # By its own check, in plain words, with what mends it; a stopped receiver has but its own faults.
    found = [finding for finding in examine(case.make()) if finding.check == case.check]
    assert found, examine(case.make())
    assert found[0].state == case.state
    assert case.says in found[0].says
    assert found[0].says.endswith(".")
    assert case.mend in found[0].mend
    others = {finding.check for finding in examine(case.make())} - {case.check}
    assert others <= {"running", "udp-buffer"}


@pytest.mark.parametrize("case", [case for case in CASES if "unit" not in case.id], ids=lambda case: case.id)
def test_nothing_is_said_of_a_service_that_is_not_there(case: Case) -> None:
    # Where nothing is installed, started by hand or in a container, there is nothing for systemctl to do.
    made = case.make()
    for finding in examine(replace(made, host=replace(made.host, unit=None))):
        words = finding.mend.split("#")[0].split()
        assert "journalctl" not in words
        assert "systemctl" not in words or "ssh" in words
        assert "restart the receiver" not in finding.mend.split("#")[0]


def test_every_check_has_a_fault_that_it_finds() -> None:
    # A check that finds nothing is worse than none.
    for check in CHECKS:
        assert any(list(check(case.make())) for case in CASES), check.__name__


@pytest.mark.parametrize(
    "change",
    [
        {"listen": "127.0.0.1:514"}, {"listen": "[::1]:514"}, {"listen": "10.1.2.3:514"}, {"listen": "log.lan:514"},
        {"type": "unix_dgram", "listen": "/run/log"},
        {"type": "tls", "listen": "*:6514", "tls": {"certificate": "a", "key": "b", "client_ca": "c"}},
    ],
    ids=str,
)  # fmt: skip
def test_a_door_that_is_guarded_is_no_fault(change: Mapping[str, Any]) -> None:
    # By its address, by the file system, or by certificates.
    open_door = {key: value for key, value in LISTENER.items() if key != "allow"}
    assert examine(facts({"listeners": [{**open_door, "type": "tcp", **change}]})) == []


def test_what_could_not_be_found_out_is_no_fault() -> None:
    # In a container much is hidden; without a configuration nothing is said of it.
    found = examine(replace(facts(), host=Host(now=NOW)))
    assert found == []
    assert [f.check for f in examine(Facts(Config(), None, Host(now=NOW)))] == ["running"]


def test_what_is_to_be_mended_comes_first() -> None:
    # The operator reads from the top.
    found = examine(facts({"retention": {}}, clock=Clock(False, 0.0), disk_free=0))
    assert [finding.state for finding in found] == [MEND, MEND, ADVICE]


@given(st.dictionaries(st.sampled_from(sorted(LABEL_SETS)), st.floats(allow_nan=False), max_size=12), st.booleans())
def test_no_numbers_make_it_fail(values: dict[str, float], labelled: bool) -> None:
    # A receiver that is ill may show anything.
    samples = {name: {("x",) * len(LABEL_SETS[name]) if labelled else (): value} for name, value in values.items()}
    ill = Facts(Config(), Path("c"), SOUND_HOST, Running(1, (), samples))
    for check in CHECKS:
        for finding in check(ill) if labelled or check.__name__ == "is_running" else ():
            assert finding.says
