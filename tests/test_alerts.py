"""The README's alert rules, run by Prometheus's own tool: each fires on its fault, none on a sound receiver."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import yaml

from receiver.metrics import METRICS
from tests.kit.waiting import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

README = Path(__file__).resolve().parent.parent / "README.md"
PROMTOOL = shutil.which("promtool")

pytestmark = pytest.mark.skipif(PROMTOOL is None, reason="promtool is missing (Debian package prometheus)")

SOUND = {
    'up{job="audit-receiver"}': "1x1500",
    "audit_receiver_ready": "1x1500",
    'audit_receiver_events_dropped_total{reason="inbox_full"}': "7x1500",
    'audit_receiver_events_dropped_total{reason="duplicate"}': "0+5x1500",
    'audit_receiver_http_requests_refused_total{listener="h",reason="unauthorized"}': "3x1500",
    'audit_receiver_http_requests_refused_total{listener="h",reason="unavailable"}': "0+1x1500",
    'audit_receiver_udp_kernel_drops_total{listener="u"}': "7x1500",
    "audit_receiver_events_in_flight": "5x1500",
    "audit_receiver_last_commit_timestamp_seconds": "0+60x1500",
    "audit_receiver_write_errors_total": "7x1500",
    "audit_receiver_commit_seconds_sum": "0+1x1500",
    "audit_receiver_commit_seconds_count": "0+100x1500",
    "audit_receiver_evidence_alarm": "0x1500",
    "audit_receiver_checkpoint_failures_total": "3x1500",
    "audit_receiver_segment_seal_errors_total": "3x1500",
    "audit_receiver_clock_steps_total": "3x1500",
    "audit_receiver_store_wal_bytes": "70000000x1500",
    "audit_receiver_inbox_bytes": "10x1500",
    "audit_receiver_inbox_limit_bytes": "100x1500",
    "audit_receiver_disk_free_bytes": "100000000000-1000000x1500",
    'audit_receiver_parse_results_total{listener="u",status="ok"}': "0+100x1500",
    'audit_receiver_parse_results_total{listener="u",status="failed"}': "0+1x1500",
    'audit_receiver_host_silent{host="web-1"}': "0x1500",
    'audit_receiver_event_time_skew_seconds{listener="u"}': "2x1500",
    'audit_receiver_tls_certificate_failures_total{listener="t"}': "2x1500",
    'audit_receiver_tls_certificate_not_after_timestamp_seconds{listener="t"}': "9000000x1500",
}
"""25 hours of a sound, busy receiver, a value a minute; promtool's clock begins at 0, `AxN` is A, N times more."""


class Fault(NamedTuple):
    """What changes in SOUND, and after how long the alert must be there (and not at `quiet`)."""

    id: str
    alert: str
    series: Mapping[str, str]
    quiet: str
    fires: str
    labels: Mapping[str, str]


def fault(id_: str, alert: str, series: str, values: str | None, quiet: str, fires: str, **labels: str) -> Fault:
    changed = {} if values is None else {series: values}
    severity = "critical" if alert in CRITICAL else "warning"
    return Fault(id_, f"AuditReceiver{alert}", {series: ""} | changed, quiet, fires, labels | {"severity": severity})


CRITICAL = {"Down", "NotReady", "Dropping", "KernelDrops", "CommitStalled", "Evidence"}
FAULTS = [
    fault("scrape-fails", "Down", 'up{job="audit-receiver"}', "1x10 0x1490", "11m", "13m", job="audit-receiver"),
    fault("not-scraped", "Down", 'up{job="audit-receiver"}', None, "1m", "2m", job="audit-receiver"),
    fault("not-ready", "NotReady", "audit_receiver_ready", "1x10 0x1490", "12m", "13m"),
    fault("one-drop", "Dropping", 'audit_receiver_events_dropped_total{reason="inbox_full"}', "7x60 8x1400", "60m",
          "62m", reason="inbox_full"),
    fault("first-drop", "Dropping", 'audit_receiver_events_dropped_total{reason="store_failed"}', "0x60 1x1400", "60m",
          "62m", reason="store_failed"),
    fault("kernel", "KernelDrops", 'audit_receiver_udp_kernel_drops_total{listener="u"}', "0x60 3x1400", "60m", "62m",
          listener="u"),
    fault("stalled", "CommitStalled", "audit_receiver_last_commit_timestamp_seconds", "0+60x60 3600x1400", "61m",
          "63m"),
    fault("never-committed", "CommitStalled", "audit_receiver_last_commit_timestamp_seconds", "0x1500", "1m", "3m"),
    fault("write-errors", "WriteErrors", "audit_receiver_write_errors_total", "0x60 1x1400", "60m", "62m"),
    fault("disk-slow", "DiskSlow", "audit_receiver_commit_seconds_sum", "0+1x60 60+120x1400", "62m", "75m"),
    fault("altered", "Evidence", "audit_receiver_evidence_alarm", "0x60 1x1400", "60m", "62m"),
    fault("unsigned", "Evidence", "audit_receiver_checkpoint_failures_total", "0x60 1x1400", "60m", "62m"),
    fault("unsealed", "SealErrors", "audit_receiver_segment_seal_errors_total", "0x60 1x1400", "60m", "62m"),
    fault("clock-set", "ClockStepped", "audit_receiver_clock_steps_total", "0x60 1x1400", "60m", "62m"),
    fault("reader", "ReaderHoldsLog", "audit_receiver_store_wal_bytes", "70000000x60 600000000x1400", "70m", "77m"),
    fault("inbox", "InboxNearlyFull", "audit_receiver_inbox_bytes", "10x60 81x1400", "60m", "62m"),
    fault("disk-low", "DiskLow", "audit_receiver_disk_free_bytes", "3000000000x60 2000000000x1400", "70m", "71m"),
    fault("disk-shrinks", "DiskLow", "audit_receiver_disk_free_bytes", "100000000000-80000000x1200", "0m", "30m"),
    fault("parse", "ParseFailures", 'audit_receiver_parse_results_total{listener="u",status="failed"}', "0+10x1500",
          "14m", "30m", listener="u"),
    fault("unauthorized", "RequestsRefused",
          'audit_receiver_http_requests_refused_total{listener="h",reason="unauthorized"}', "0x60 1x1400", "60m", "62m",
          listener="h", reason="unauthorized"),
    fault("host-stops", "SilentHost", 'audit_receiver_host_silent{host="web-1"}', "0x60 1x1400", "60m", "62m",
          host="web-1"),
    fault("host-never-seen", "SilentHost", 'audit_receiver_host_silent{host="web-2"}', "1x1500", "0m", "2m",
          host="web-2"),
    fault("clock-behind", "ClockSkew", 'audit_receiver_event_time_skew_seconds{listener="u"}', "2x60 61x1400", "70m",
          "71m", listener="u"),
    fault("clock-ahead", "ClockSkew", 'audit_receiver_event_time_skew_seconds{listener="u"}', "2x60 -61x1400", "70m",
          "71m", listener="u"),
    fault("certificate-refused", "CertificateRefused", 'audit_receiver_tls_certificate_failures_total{listener="t"}',
          "0x60 1x1400", "60m", "62m", listener="t"),
    fault("certificate", "CertificateEnds", 'audit_receiver_tls_certificate_not_after_timestamp_seconds{listener="t"}',
          "1213200x1500", "60m", "62m", listener="t"),
]  # fmt: skip


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The block of the README, as the operator would save it."""
    section = README.read_text().partition("\n## Alerts\n")[2].partition("\n## ")[0]
    fenced = re.findall(r"^```yaml\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    blocks = [block for block in fenced if "alert:" in block]
    assert len(blocks) == 1, "the README has one block of rules under '## Alerts'"
    file = tmp_path_factory.mktemp("alerts") / "rules.yaml"
    file.write_text(blocks[0])
    return file


def promtool(*arguments: str) -> None:
    assert PROMTOOL is not None
    done = subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def alerts_of(rules: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(rules.read_text())["groups"][0]["rules"]
    return found


def expectation(alert: str, at: str, labels: Mapping[str, str] | None) -> dict[str, Any]:
    """What promtool is to see; annotations are left to `check rules`."""
    wanted = {"alertname": alert, "alertstate": "firing", **(labels or {})}
    matching = ",".join(f'{key}="{value}"' for key, value in wanted.items())
    return {
        "eval_time": at,
        "expr": f"count(ALERTS{{{matching}}}) or vector(0)",
        "exp_samples": [{"labels": "{}", "value": 0 if labels is None else 1}],
    }


def unit_test(series: Mapping[str, str], expectations: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items() if values],
        "promql_expr_test": expectations,
    }


def run_unit_tests(rules: Path, name: str, tests: list[dict[str, Any]]) -> None:
    file = rules.parent / f"{name}.yaml"
    file.write_text(json.dumps({"rule_files": [rules.name], "evaluation_interval": "1m", "tests": tests}))
    promtool("test", "rules", str(file))


def test_prometheus_takes_the_rules(rules: Path) -> None:
    # Syntax, expressions and templates.
    promtool("check", "rules", str(rules))


def test_the_rules_ask_for_metrics_that_exist(rules: Path) -> None:
    # A misspelt name is an alert that never fires.
    known = {row.name for row in METRICS}
    known |= {f"{row.name}_{part}" for row in METRICS if row.kind == "histogram" for part in ("sum", "count")}
    for rule in alerts_of(rules):
        assert set(re.findall(r"audit_receiver_\w+", rule["expr"])) <= known


def test_the_table_of_faults_names_metrics_and_alerts_that_exist(rules: Path) -> None:
    # What an operator is told to look at is there.
    section = README.read_text().partition("\n## Faults: what you see\n")[2].partition("\n## ")[0]
    rows = [row.split(" | ") for row in section.splitlines() if row.startswith("| ")][1:]
    assert len(rows) > 20
    assert {len(row) for row in rows} == {5}
    named = " ".join(row[2] for row in rows)
    known = {row.name for row in METRICS}
    assert set(re.findall(r"audit_receiver_\w+", named)) <= known
    alerts = {name for group in re.findall(r"\(([A-Z][A-Za-z, ]+)\)", named) for name in group.split(", ")}
    assert {f"AuditReceiver{name}" for name in alerts} <= {rule["alert"] for rule in alerts_of(rules)}


def test_every_rule_is_tested(rules: Path) -> None:
    # And every one says in a sentence what is wrong.
    assert {rule["alert"] for rule in alerts_of(rules)} == {fault.alert for fault in FAULTS}
    assert all(rule["annotations"]["summary"].endswith(".") for rule in alerts_of(rules))


def test_a_sound_receiver_is_left_in_peace(rules: Path) -> None:
    # Over a whole day under load.
    silent = [expectation(rule["alert"], at, None) for rule in alerts_of(rules) for at in ("5m", "90m", "24h")]
    run_unit_tests(rules, "sound", [unit_test(SOUND, silent)])


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_a_fault_is_told_and_nothing_else(rules: Path, fault: Fault) -> None:
    # Not before its time, with the labels that name the place, and without a chorus of other alerts.
    others = [expectation(r["alert"], fault.fires, None) for r in alerts_of(rules) if r["alert"] != fault.alert]
    told = [expectation(fault.alert, fault.quiet, None), expectation(fault.alert, fault.fires, fault.labels)]
    run_unit_tests(rules, fault.id, [unit_test({**SOUND, **fault.series}, [*told, *others])])
