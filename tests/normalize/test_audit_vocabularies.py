"""JSON of known products: an event as the product documents it, and the whole of who, what, on what, from where."""

from __future__ import annotations

import json

import pytest

from receiver.event import ACTIONS
from receiver.normalize import deeds
from receiver.normalize.audit_vocabularies import AUDIT_VOCABULARIES
from receiver.normalize.fields import map_fields
from receiver.normalize.rule import COLUMNS
from receiver.normalize.vocabularies import canonical, recognise

T = "2026-11-22T10:00:00Z"
IP = "203.0.113.7"
K8S = {
    "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": "a1", "stage": "ResponseComplete",
    "requestURI": "/api/v1/namespaces/x/secrets/db", "verb": "get", "user": {"username": "alice", "groups": ["dev"]},
    "sourceIPs": [IP, "192.0.2.9"], "objectRef": {"resource": "secrets", "namespace": "x", "name": "db"},
    "responseStatus": {"metadata": {}, "code": 200}, "requestReceivedTimestamp": T,
}  # fmt: skip
TRAIL = {
    "eventVersion": "1.08", "userIdentity": {"type": "IAMUser", "userName": "alice", "arn": "arn:aws:iam::1:x"},
    "eventTime": T, "eventSource": "iam.amazonaws.com", "eventName": "CreateUser", "sourceIPAddress": IP,
    "requestParameters": {"userName": "bob"}, "responseElements": None, "eventID": "e1",
}  # fmt: skip
VAULT = {
    "type": "response", "time": T, "auth": {"display_name": "userpass-alice"},
    "request": {"id": "r1", "operation": "read", "path": "secret/data/db", "remote_address": IP},
    "response": {"data": {}},
}  # fmt: skip
KEYCLOAK = {"time": 1764000000000, "type": "LOGIN_ERROR", "realmId": "r", "clientId": "c", "userId": None,
            "ipAddress": IP, "error": "invalid_user_credentials", "details": {"username": "bob"}}  # fmt: skip
MONGO = {"atype": "authenticate", "ts": {"$date": T}, "local": {}, "remote": {"ip": IP, "port": 51234},
         "users": [{"user": "alice", "db": "admin"}], "roles": [], "param": {"user": "alice"}, "result": 0}  # fmt: skip
WIN = {"EventTime": T, "Hostname": "dc1", "EventID": 4720, "Channel": "Security", "SubjectUserName": "admin",
       "TargetUserName": "bob", "Message": "A user account was created."}  # fmt: skip

CASES = [
    ("kubernetes", K8S, {"actor": "alice", "action": "secret.read", "outcome": "success", "target": "secrets:db",
                         "source_ip": IP, "session": "a1"}),
    ("kubernetes", {**K8S, "verb": "delete", "objectRef": {"resource": "pods", "name": "p"},
                    "impersonatedUser": {"username": "root"}, "responseStatus": {"code": 403, "reason": "Forbidden"}},
     {"actor": "alice", "actor_as": "root", "action": "api.delete", "outcome": "failure", "reason": "Forbidden",
      "target": "pods:p", "source_ip": IP, "session": "a1"}),
    ("kubernetes", {**K8S, "objectRef": None, "verb": "connect", "responseStatus": None, "sourceIPs": []},
     {"actor": "alice", "target": K8S["requestURI"], "session": "a1"}),
    ("vault", VAULT, {"actor": "userpass-alice", "action": "secret.read", "outcome": "success",
                      "target": "path:secret/data/db", "source_ip": IP, "session": "r1"}),
    ("vault", {**VAULT, "request": {**VAULT["request"], "operation": "update", "path": "auth/userpass/login/bob"},
               "error": "permission denied", "response": None, "auth": {}},
     {"action": "auth.login", "outcome": "failure", "reason": "permission denied",
      "target": "path:auth/userpass/login/bob", "source_ip": IP, "session": "r1"}),
    ("cloudtrail", TRAIL, {"actor": "alice", "action": "account.create", "outcome": "success", "target": "account:bob",
                           "source_ip": IP, "session": "e1"}),
    ("cloudtrail", {**TRAIL, "errorCode": "AccessDenied", "errorMessage": "not authorized"},
     {"actor": "alice", "action": "account.create", "outcome": "failure", "reason": "AccessDenied",
      "target": "account:bob", "source_ip": IP, "session": "e1"}),
    ("cloudtrail", {**TRAIL, "eventName": "ConsoleLogin", "requestParameters": None, "sourceIPAddress": "AWS Internal",
                    "responseElements": {"ConsoleLogin": "Failure"}},
     {"actor": "alice", "action": "auth.login", "outcome": "failure", "session": "e1"}),
    ("ocsf", {"class_uid": 3002, "activity_id": 1, "type_uid": 300201, "time": 1764000000000, "status_id": 2,
              "status_detail": "bad password", "user": {"name": "bob"}, "src_endpoint": {"ip": IP, "port": 51234}},
     {"actor": "bob", "action": "auth.login", "outcome": "failure", "reason": "bad password", "source_ip": IP,
      "source_port": 51234}),
    ("gitlab", {"severity": "INFO", "time": T, "author_id": 3, "author_name": "Alice", "entity_id": 29,
                "entity_type": "Project", "change": "visibility", "ip_address": IP, "target_type": "Project",
                "target_id": 29, "target_details": "demo"},
     {"actor": "Alice", "target": "Project:demo", "source_ip": IP}),
    ("github", {"action": "org.add_member", "actor": "alice", "user": "bob", "org": "x", "actor_ip": IP,
                "@timestamp": 1764000000000, "_document_id": "d1"},
     {"actor": "alice", "action": "group.member_add", "target": "account:bob", "source_ip": IP, "session": "d1"}),
    ("github", {"action": "user.failed_login", "actor": "bob", "actor_ip": IP, "_document_id": "d1"},
     {"actor": "bob", "action": "auth.login", "outcome": "failure", "source_ip": IP, "session": "d1"}),
    ("teleport", {"code": "T1000W", "event": "user.login", "success": False, "error": "invalid otp", "time": T,
                  "uid": "u", "user": "bob", "addr.remote": f"{IP}:51234", "method": "local"},
     {"actor": "bob", "action": "auth.login", "outcome": "failure", "reason": "invalid otp", "source_ip": IP,
      "source_port": 51234}),
    ("keycloak", KEYCLOAK, {"actor": "bob", "action": "auth.login", "outcome": "failure",
                            "reason": "invalid_user_credentials", "source_ip": IP}),
    ("keycloak", {**KEYCLOAK, "type": "LOGOUT", "error": None, "details": {}, "userId": "u-1", "sessionId": "s"},
     {"actor": "u-1", "action": "auth.logout", "outcome": "success", "source_ip": IP, "session": "s"}),
    ("nextcloud", {"reqId": "q", "level": 1, "time": T, "remoteAddr": IP, "user": "alice", "app": "admin_audit",
                   "method": "GET", "url": "/", "message": 'File accessed: "/x"'},
     {"actor": "alice", "source_ip": IP, "session": "q"}),
    ("mongodb_audit", MONGO, {"actor": "alice", "action": "auth.login", "outcome": "success", "source_ip": IP,
                              "source_port": 51234}),
    ("mongodb_audit", {**MONGO, "users": [], "param": {"user": "bob"}, "result": 18},
     {"actor": "bob", "action": "auth.login", "outcome": "failure", "source_ip": IP, "source_port": 51234}),
    ("mongodb_log", {"t": {"$date": T}, "s": "I", "c": "ACCESS", "id": 20249, "ctx": "conn1",
                     "msg": "Authentication failed", "attr": {"principalName": "bob", "client": f"{IP}:51234",
                                                              "error": "UserNotFound"}},
     {"actor": "bob", "action": "auth.login", "outcome": "failure", "reason": "UserNotFound", "source_ip": IP,
      "source_port": 51234}),
    ("postgresql", {"timestamp": "2026-11-22 10:00:00.123 UTC", "user": "bob", "dbname": "app", "pid": 12,
                    "remote_host": IP, "remote_port": 51234, "session_id": "s", "error_severity": "FATAL",
                    "state_code": "28P01", "message": 'password authentication failed for user "bob"',
                    "backend_type": "client backend"},
     {"actor": "bob", "action": "auth.login", "outcome": "failure", "source_ip": IP, "source_port": 51234,
      "reason": 'password authentication failed for user "bob"', "session": "s"}),
    ("windows", WIN, {"actor": "admin", "action": "account.create", "outcome": "success", "target": "account:bob"}),
    ("windows", {**WIN, "EventID": 4625, "SubjectUserName": "DC1$", "IpAddress": IP, "IpPort": "51234"},
     {"actor": "bob", "action": "auth.login", "outcome": "failure", "source_ip": IP, "source_port": 51234}),
    ("windows", {"@timestamp": T, "winlog": {"event_id": 4624, "event_data": {"TargetUserName": "alice",
                                                                              "IpAddress": IP}}},
     {"actor": "alice", "action": "auth.login", "outcome": "success", "source_ip": IP}),
    ("falco", {"time": T, "rule": "Terminal shell in container", "priority": "Notice", "output": "A shell …",
               "output_fields": {"user.name": "root"}},
     {"action": "detect.alert", "reason": "Terminal shell in container"}),
    ("suricata", {"timestamp": T, "flow_id": 1, "event_type": "alert", "src_ip": IP, "src_port": 51234,
                  "dest_ip": "192.0.2.10", "alert": {"signature": "ET SCAN"}},
     {"action": "detect.alert", "reason": "ET SCAN", "target": "address:192.0.2.10", "source_ip": IP,
      "source_port": 51234}),
    ("samba", {"timestamp": T, "type": "Authentication", "Authentication": {
        "status": "NT_STATUS_WRONG_PASSWORD", "remoteAddress": f"ipv4:{IP}:51234", "clientAccount": "bob"}},
     {"actor": "bob", "action": "auth.login", "outcome": "failure", "reason": "NT_STATUS_WRONG_PASSWORD",
      "source_ip": IP, "source_port": 51234}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("vocabulary", "fields", "expected"), CASES, ids=[f"{case[0]}-{at}" for at, case in enumerate(CASES)]
)
def test_an_event_gives_what_it_says(vocabulary: str, fields: dict, expected: dict) -> None:
    # The whole outcome: what is not named must be null.
    fields = json.loads(json.dumps(fields))
    assert recognise({canonical(name) for name in fields}).name == vocabulary
    mapped = map_fields(fields)
    assert {name: getattr(mapped, name) for name in COLUMNS if getattr(mapped, name) is not None} == expected


def test_every_vocabulary_has_a_case() -> None:
    # One without is a guess.
    assert {vocabulary.name for vocabulary in AUDIT_VOCABULARIES} == {case[0] for case in CASES}


@pytest.mark.parametrize("vocabulary", AUDIT_VOCABULARIES, ids=lambda vocabulary: vocabulary.name)
@pytest.mark.parametrize("value", [None, True, 7, 1.5, "", "-", "x", [], [1], [{}], {}, {"a": [1]}])
def test_no_value_is_a_surprise(vocabulary, value: object) -> None:
    # A sender may put anything anywhere.
    samples = [case[1] for case in CASES if case[0] == vocabulary.name]
    for sample in samples:
        for key in sample:
            map_fields({**sample, key: value})


def test_deeds_are_in_the_vocabulary() -> None:
    # What the tables say ends in the column `action`.
    tables = (deeds.KEYCLOAK, deeds.MONGODB, deeds.CLOUDTRAIL, deeds.GITHUB, deeds.TELEPORT, deeds.WINDOWS, deeds.OCSF)
    assert {action for table in tables for action, _ in table.values()} <= ACTIONS
