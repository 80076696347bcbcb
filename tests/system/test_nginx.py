"""nginx: access_log and error_log with `syslog:`, RFC 3164 over UDP."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from tests.kit.process import free_ports, running, wait_for
from tests.kit.waiting import PATIENCE_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kit.process import ReceiverProcess

pytestmark = [pytest.mark.system, pytest.mark.senders]

CONFIG = """\
daemon off;
master_process off;
pid {folder}/pid;
error_log syslog:server=127.0.0.1:{syslog},tag=nginx_error info;
events {{ }}
http {{
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    log_format audit escape=json '{{"user":"$remote_user","ip":"$remote_addr","action":"http.request",'
                                 '"target":"$request_uri","status":$status}}';
    access_log syslog:server=127.0.0.1:{syslog},facility=local7,tag=nginx,severity=info;
    access_log syslog:server=127.0.0.1:{syslog},tag=nginx_json audit;
    server {{ listen 127.0.0.1:{http}; root {folder}; }}
}}
"""


def fetch(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE_SECONDS) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def is_open(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def test_requests_and_errors_of_nginx_arrive(nginx: str, receiver: ReceiverProcess, tmp_path: Path) -> None:
    # The access log as nginx writes it, a JSON log_format behind a syslog header, and the error log.
    folder = tmp_path / "nginx"
    folder.mkdir()
    (http,) = free_ports(1)
    config = folder / "nginx.conf"
    config.write_text(CONFIG.format(folder=folder, syslog=receiver.port, http=http))
    with running([nginx, "-p", str(folder), "-c", str(config)], folder / "nginx.log"):
        wait_for(lambda: is_open(http), what="nginx")
        assert fetch(http, "/no-such-page?q=1") == 404
        wait_for(lambda: len(receiver.events("--app", "nginx_json")) == 1, what="the request in JSON")
    events = receiver.events()
    assert {(event["transport"], event["format"], event["parse_status"]) for event in events} == {
        ("udp", "rfc3164", "ok")
    }
    (access,) = [event for event in events if event["app"] == "nginx"]
    assert (access["facility"], access["severity"]) == (23, 6)
    assert '"GET /no-such-page?q=1 HTTP/1.1" 404' in access["message"]
    assert [event for event in events if event["app"] == "nginx_error" and "No such file" in event["message"]]
    (request,) = [event for event in events if event["app"] == "nginx_json"]
    assert (request["source_ip"], request["action"]) == ("127.0.0.1", "http.request")
    assert request["target"].endswith("/no-such-page?q=1")
