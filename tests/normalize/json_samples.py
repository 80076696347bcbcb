"""Events as products write them, by what their documentation says of their fields, and all that they say of a deed.

One table for the tests of the JSON vocabularies: `expected` is the whole of who, what, on what,
    from where and with what
outcome; a column that is not named must be null. Every value is made up.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

T = "2026-11-22T10:00:00Z"
IP = "203.0.113.7"
ALICE = "alice@example.com"


class Sample(NamedTuple):
    """vocabulary: the one that reads it, or the one of the event in the envelope."""

    vocabulary: str
    fields: dict[str, Any]
    expected: dict[str, Any]


def login(actor: str, outcome: str, **more: Any) -> dict[str, Any]:
    """Write what a login gives."""
    return {"actor": actor, "action": "auth.login", "outcome": outcome, "source_ip": IP, **more}


# --- what a team runs itself ---

K8S = {
    "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": "a1", "stage": "ResponseComplete",
    "requestURI": "/api/v1/namespaces/x/secrets/db", "verb": "get", "user": {"username": "alice", "groups": ["dev"]},
    "sourceIPs": [IP, "192.0.2.9"], "objectRef": {"resource": "secrets", "namespace": "x", "name": "db"},
    "responseStatus": {"metadata": {}, "code": 200}, "requestReceivedTimestamp": T,
}  # fmt: skip
VAULT = {
    "type": "response", "time": T, "auth": {"display_name": "userpass-alice"},
    "request": {"id": "r1", "operation": "read", "path": "secret/data/db", "remote_address": IP},
    "response": {"data": {}},
}  # fmt: skip
TELEPORT = {
    "ei": 0, "code": "T1000W", "event": "user.login", "success": False, "error": "invalid otp", "time": T, "uid": "u",
    "user": "bob", "addr.remote": f"{IP}:51234", "method": "local", "cluster_name": "c",
}  # fmt: skip
KEYCLOAK = {
    "time": 1764000000000, "type": "LOGIN_ERROR", "realmId": "r", "clientId": "c", "userId": None, "ipAddress": IP,
    "error": "invalid_user_credentials", "details": {"username": "bob"},
}  # fmt: skip
GITLAB = {
    "severity": "INFO", "time": T, "author_id": 3, "author_name": "Alice", "entity_id": 29, "entity_type": "Project",
    "change": "visibility", "from": "private", "to": "public", "ip_address": IP, "target_type": "Project",
    "target_id": 29, "target_details": "demo",
}  # fmt: skip
GITHUB = {
    "action": "org.add_member", "actor": "alice", "user": "bob", "org": "x", "actor_ip": IP, "actor_id": 7,
    "@timestamp": 1764000000000, "_document_id": "d1", "operation_type": "create",
}  # fmt: skip
GITEA = {
    "action": "user:create", "doer": {"type": "user", "id": 1, "display_name": "alice"},
    "scope": {"type": "system", "id": 0, "display_name": "System"},
    "target": {"type": "user", "id": 5, "display_name": "bob"}, "message": "Created user bob", "time": T,
    "ip_address": f"{IP}:51234",
}  # fmt: skip
MONGO = {
    "atype": "authenticate", "ts": {"$date": T}, "local": {}, "remote": {"ip": IP, "port": 51234},
    "users": [{"user": "alice", "db": "admin"}], "roles": [], "param": {"user": "alice"}, "result": 0,
}  # fmt: skip
POSTGRES = {
    "timestamp": "2026-11-22 10:00:00.123 UTC", "user": "bob", "dbname": "app", "pid": 12, "remote_host": IP,
    "remote_port": 51234, "session_id": "s", "error_severity": "FATAL", "state_code": "28P01",
    "message": 'password authentication failed for user "bob"', "backend_type": "client backend",
}  # fmt: skip
WIN = {
    "EventTime": T, "Hostname": "dc1", "EventID": 4720, "Channel": "Security", "SubjectUserName": "admin",
    "TargetUserName": "bob", "EventType": "AUDIT_SUCCESS", "Message": "A user account was created.",
}  # fmt: skip
OSQUERY = {
    "name": "pack_incident_logged_in_users", "hostIdentifier": "web1", "calendarTime": "Sun Nov 22 10:00:00 2026 UTC",
    "unixTime": 1795341600, "epoch": 0, "counter": 3, "numerics": False, "action": "added",
    "columns": {"type": "user", "user": "alice", "tty": "pts/0", "host": IP, "time": "1795341500", "pid": "4711"},
}  # fmt: skip
USERS = {"uid": "1001", "gid": "1001", "username": "bob", "description": "", "directory": "/home/bob",
    "shell": "/bin/sh"}
USER_EVENT = {
    "uid": "0", "auid": "1000", "pid": "99", "type": "1112", "path": "/usr/sbin/sshd", "address": IP,
    "message": 'op=login acct="alice" exe="/usr/sbin/sshd" hostname=? addr=? terminal=ssh res=success',
    "terminal": "ssh",
}  # fmt: skip
NEXTCLOUD = {
    "reqId": "q", "level": 1, "time": T, "remoteAddr": IP, "user": "alice", "app": "admin_audit", "method": "GET",
    "url": "/", "message": 'File accessed: "/x"', "userAgent": "x", "version": "30.0",
}  # fmt: skip
CADF = {
    "typeURI": "http://schemas.dmtf.org/cloud/audit/1.0/event", "id": "c1", "eventType": "activity", "eventTime": T,
    "action": "authenticate", "outcome": "failure",
    "initiator": {"id": "i", "typeURI": "service/security/account/user", "name": "bob", "host": {"address": IP}},
    "target": {"id": "t", "typeURI": "service/security/account/user"}, "observer": {"typeURI": "service/security"},
    "reason": {"reasonCode": "401", "reasonType": "Unauthorized"},
}  # fmt: skip
OCSF_LOGIN = {
    "class_uid": 3002, "activity_id": 1, "type_uid": 300201, "category_uid": 3, "time": 1764000000000, "status_id": 2,
    "status_detail": "bad password", "user": {"name": "bob"}, "src_endpoint": {"ip": IP, "port": 51234},
    "actor": {"app_name": "sshd"}, "metadata": {"version": "1.3.0"},
}  # fmt: skip
OCSF_ACCOUNT = {
    "class_uid": 3001, "activity_id": 1, "time": 1764000000000, "status": "Success", "status_id": 1,
    "actor": {"user": {"name": "alice", "uid": "u1"}}, "user": {"name": "bob"}, "src_endpoint": {"ip": IP},
    "metadata": {"version": "1.3.0"},
}  # fmt: skip
WAZUH = {
    "timestamp": "2026-11-22T10:00:00.123+0000", "id": "1.2", "location": "/var/log/auth.log",
    "rule": {"level": 5, "description": "sshd: authentication failed.", "id": "5760",
             "groups": ["syslog", "sshd", "authentication_failed"]},
    "agent": {"id": "001", "name": "web1"}, "manager": {"name": "m"}, "decoder": {"name": "sshd"},
    "data": {"srcip": IP, "srcport": "51234", "dstuser": "bob"}, "full_log": "Failed password for bob",
}  # fmt: skip
ZEEK = {"ts": 1795341600.5, "uid": "C1", "id.orig_h": IP, "id.orig_p": 51234, "id.resp_h": "192.0.2.10",
    "id.resp_p": 22}
OTLP = {
    "resourceLogs": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}},
                                    {"key": "host.name", "value": {"stringValue": "web1"}}]},
        "scopeLogs": [{"scope": {"name": "auth"}, "logRecords": [{
            "timeUnixNano": "1795341600000000000", "severityNumber": 9, "severityText": "INFO",
            "body": {"stringValue": "user logged in"},
            "attributes": [
                {"key": "user.name", "value": {"stringValue": "alice"}},
                {"key": "client.address", "value": {"stringValue": IP}},
                {"key": "event.name", "value": {"stringValue": "user.login"}},
                {"key": "event.outcome", "value": {"stringValue": "success"}},
            ],
        }]}],
    }],
}  # fmt: skip

SELF_HOSTED = [
    Sample("kubernetes", K8S, {"actor": "alice", "action": "secret.read", "outcome": "success", "target": "secrets:db",
                               "source_ip": IP, "session": "a1"}),
    Sample("kubernetes", {**K8S, "verb": "delete", "objectRef": {"resource": "pods", "name": "p"},
                          "impersonatedUser": {"username": "root"},
                          "responseStatus": {"code": 403, "reason": "Forbidden"}},
           {"actor": "alice", "actor_as": "root", "action": "api.delete", "outcome": "failure", "reason": "Forbidden",
            "target": "pods:p", "source_ip": IP, "session": "a1"}),
    Sample("kubernetes", {**K8S, "objectRef": None, "verb": "connect", "responseStatus": None, "sourceIPs": []},
           {"actor": "alice", "target": K8S["requestURI"], "session": "a1"}),
    Sample("rancher", {"auditID": "r1", "requestURI": "/v3/users", "method": "POST", "sourceIPs": [IP],
                       "user": {"name": "user-x", "group": ["a"]}, "requestTimestamp": T, "responseCode": 201},
           {"actor": "user-x", "action": "api.create", "outcome": "success", "target": "/v3/users", "source_ip": IP,
            "session": "r1"}),
    Sample("vault", VAULT, {"actor": "userpass-alice", "action": "secret.read", "outcome": "success",
                            "target": "path:secret/data/db", "source_ip": IP, "session": "r1"}),
    Sample("vault", {**VAULT, "request": {**VAULT["request"], "operation": "update", "path": "auth/userpass/login/bob"},
                     "error": "permission denied", "response": None, "auth": {}},
           {"action": "auth.login", "outcome": "failure", "reason": "permission denied",
            "target": "path:auth/userpass/login/bob", "source_ip": IP, "session": "r1"}),
    Sample("vault", {"type": "request", "time": T, "auth": {"display_name": "root"},
                     "request": {"id": "r2", "operation": "delete", "path": "sys/audit/file", "remote_address": IP}},
           {"actor": "root", "action": "api.delete", "target": "path:sys/audit/file", "source_ip": IP,
            "session": "r2"}),
    Sample("consul", {"created_at": T, "event_type": "audit", "payload": {
        "id": "p1", "version": "1", "type": "HTTPEvent", "timestamp": T,
        "auth": {"accessor_id": "08f05787", "description": "Master Token"},
        "request": {"operation": "GET", "endpoint": "/v1/acl/tokens", "remote_addr": f"{IP}:51234"},
        "stage": "OperationComplete", "response": {"status": "403"}}},
           {"actor": "08f05787", "action": "api.read", "outcome": "failure", "target": "/v1/acl/tokens",
            "source_ip": IP, "source_port": 51234, "session": "p1"}),
    Sample("teleport", TELEPORT, login("bob", "failure", reason="invalid otp", source_port=51234)),
    Sample("teleport", {"code": "T2000I", "event": "session.start", "time": T, "uid": "u", "user": "alice",
                        "login": "root", "sid": "s1", "addr.remote": f"{IP}:51234", "server_hostname": "web1",
                        "server_id": "x", "namespace": "default"},
           {"actor": "alice", "actor_as": "root", "action": "session.open", "outcome": "success", "target": "host:web1",
            "source_ip": IP, "source_port": 51234, "session": "s1"}),
    Sample("teleport", {"code": "T3002I", "event": "exec", "time": T, "uid": "u", "user": "alice", "login": "root",
                        "command": "id", "exitCode": "1", "exitError": "exit status 1", "addr": {"remote": IP}},
           {"actor": "alice", "actor_as": "root", "action": "command.exec", "outcome": "failure", "source_ip": IP}),
    Sample("minio", {"version": "1", "deploymentid": "d", "time": T, "trigger": "incoming", "api": {
        "name": "GetObject", "bucket": "b", "object": "o", "status": "OK", "statusCode": 200},
        "remotehost": IP, "requestID": "R1", "userAgent": "mc", "accessKey": "alice"},
           {"actor": "alice", "action": "file.read", "outcome": "success", "target": "bucket:b", "source_ip": IP,
            "session": "R1"}),
    Sample("cadf", CADF, login("bob", "failure", reason="Unauthorized", target="t", session="c1")),
    Sample("cadf", {"message_id": "m", "publisher_id": "identity.host", "event_type": "identity.user.created",
                    "priority": "INFO", "timestamp": "2026-11-22 10:00:00.123",
                    "payload": {**CADF, "action": "created.user", "outcome": "success", "reason": None}},
           {"actor": "bob", "action": "account.create", "outcome": "success", "target": "t", "source_ip": IP,
            "session": "c1"}),
    Sample("gitlab", GITLAB, {"actor": "Alice", "action": "config.change", "outcome": "success",
                              "target": "Project:demo", "source_ip": IP}),
    Sample("gitlab", {**GITLAB, "change": None, "failed_login": "STANDARD", "target_type": "User", "author_id": -1,
                      "author_name": "bob", "target_details": "bob"}, login("bob", "failure", target="User:bob")),
    Sample("gitlab", {"id": 1, "author_id": 1, "entity_id": 2, "entity_type": "Group", "created_at": T,
                      "event_type": "audit_operation", "ip_address": IP, "author_name": "alice",
                      "details": {"author_name": "alice", "event_name": "member_created", "target_type": "User",
                                  "target_details": "bob", "ip_address": IP, "custom_message": "Membership created"}},
           {"actor": "alice", "action": "group.member_add", "outcome": "success", "target": "User:bob",
            "source_ip": IP}),
    Sample("rails", {"method": "POST", "path": "/users/sign_in", "format": "html", "controller": "SessionsController",
                     "action": "create", "status": 401, "time": T, "remote_ip": IP, "user_id": 7, "username": "alice",
                     "params": [{"key": "user", "value": {"login": "eve"}}], "host": "gitlab.example"},
           {"actor": "alice", "action": "http.request", "outcome": "failure", "target": "/users/sign_in",
            "source_ip": IP}),
    Sample("http_access", {"time": T, "severity": "INFO", "duration_s": 0.1, "status": 204, "method": "DELETE",
                           "path": "/api/v4/users/5", "params": [], "host": "gitlab.example",
                           "remote_ip": f"{IP}, 127.0.0.1",
                           "ua": "curl", "route": "/api/:version/users/:id", "user_id": 1, "username": "root"},
           {"actor": "root", "action": "http.request", "outcome": "success", "target": "/api/v4/users/5",
            "source_ip": IP}),
    Sample("github", GITHUB, {"actor": "alice", "action": "group.member_add", "outcome": "success",
                              "target": "account:bob", "source_ip": IP, "session": "d1"}),
    Sample("github", {"action": "user.failed_login", "actor": "bob", "actor_ip": IP, "_document_id": "d1"},
           login("bob", "failure", session="d1")),
    Sample("github", {"action": "repo.something_new", "actor": "alice", "actor_id": 7, "created_at": 1764000000000,
                      "org_id": 1, "operation_type": "modify", "repo": "x/y"},
           {"actor": "alice", "action": "api.update", "outcome": "success", "target": "repository:x/y"}),
    Sample("gitea", GITEA, {"actor": "alice", "action": "account.create", "target": "user:bob", "source_ip": IP,
                            "source_port": 51234}),
    Sample("gitea", {"action": "user:login", "actor": {"type": "user", "primary_key": 1, "friendly_name": "alice"},
                     "scope": {"type": "user", "primary_key": 1, "friendly_name": "alice"},
                     "target": {"type": "user", "primary_key": 1, "friendly_name": "alice"}, "message": "x", "time": T,
                     "ip_address": "[2001:db8::1]:443"},
           {"actor": "alice", "action": "auth.login", "target": "user:alice", "source_ip": "2001:db8::1",
            "source_port": 443}),
    Sample("keycloak", KEYCLOAK, login("bob", "failure", reason="invalid_user_credentials")),
    Sample("keycloak", {**KEYCLOAK, "type": "LOGOUT", "error": None, "details": {}, "userId": "u-1", "sessionId": "s"},
           {"actor": "u-1", "action": "auth.logout", "outcome": "success", "source_ip": IP, "session": "s"}),
    Sample("keycloak_admin", {"time": 1764000000000, "realmId": "r", "operationType": "CREATE", "resourceType": "USER",
                              "resourcePath": "users/u-2", "representation": "{}", "error": None,
                              "authDetails": {"realmId": "r", "clientId": "c", "userId": "u-1", "ipAddress": IP}},
           {"actor": "u-1", "action": "account.create", "outcome": "success", "target": "users/u-2", "source_ip": IP}),
    Sample("authentik", {"pk": "p", "action": "login_failed", "app": "authentik.events.signals", "client_ip": IP,
                         "user": {}, "context": {"username": "bob", "stage": {"name": "password"}}, "created": T},
           login("bob", "failure", session="p")),
    Sample("nextcloud", NEXTCLOUD, {"actor": "alice", "action": "file.read", "outcome": "success", "source_ip": IP,
                                    "session": "q"}),
    Sample("nextcloud", {**NEXTCLOUD, "user": "--", "app": "core", "level": 2,
                         "message": 'Login failed: "eve" (Remote IP: 192.0.2.1)'},
           {"action": "auth.login", "outcome": "failure", "source_ip": IP, "session": "q"}),
    Sample("nextcloud", {**NEXTCLOUD, "user": "--", "app": "core", "level": 2,
                         "message": f"Login failed: eve (Remote IP: 192.0.2.1) (Remote IP: {IP})"},
           login("eve (Remote IP: 192.0.2.1)", "failure", session="q")),
    Sample("mattermost", {"timestamp": "2026-11-22 10:00:00.123 Z", "event_name": "login", "status": "fail",
                          "actor": {"user_id": "u1", "session_id": "", "client": "x", "ip_address": IP},
                          "event": {"parameters": {}}, "meta": {"api_path": "/api/v4/users/login"},
                          "error": {"status_code": 401, "description": "invalid password"}},
           login("u1", "failure", reason="invalid password")),
    Sample("grafana", {"timestamp": T, "user": {"userId": 1, "orgId": 1, "name": "alice", "isAnonymous": False},
                       "action": "login-grafana", "requestUri": "/login", "ipAddress": f"{IP}:51234",
                       "result": {"statusType": "success", "statusCode": 200}, "grafanaVersion": "11"},
           login("alice", "success", source_port=51234, target="/login")),
    Sample("mongodb_audit", MONGO, login("alice", "success", source_port=51234)),
    Sample("mongodb_audit", {**MONGO, "users": [], "param": {"user": "bob"}, "result": 18},
           login("bob", "failure", source_port=51234)),
    Sample("mongodb_audit", {**MONGO, "atype": "createUser", "param": {"user": "bob", "db": "app", "roles": []}},
           {"actor": "alice", "action": "account.create", "outcome": "success", "target": "account:bob",
            "source_ip": IP, "source_port": 51234}),
    Sample("mongodb_log", {"t": {"$date": T}, "s": "I", "c": "ACCESS", "id": 20249, "ctx": "conn1",
                           "msg": "Authentication failed", "attr": {"principalName": "bob", "client": f"{IP}:51234",
                                                                    "error": "UserNotFound"}},
           login("bob", "failure", reason="UserNotFound", source_port=51234)),
    Sample("postgresql", POSTGRES, login("bob", "failure", source_port=51234, session="s",
                                         reason='password authentication failed for user "bob"')),
    Sample("postgresql", {**POSTGRES, "error_severity": "LOG", "state_code": "00000",
                          "message": "connection authorized: user=bob database=app"},
           login("bob", "success", source_port=51234, session="s")),
    Sample("postgresql", {**POSTGRES, "error_severity": "LOG", "state_code": "00000",
                          "message": 'AUDIT: SESSION,1,1,ROLE,CREATE ROLE,,,"create role eve",<not logged>'},
           {"actor": "bob", "action": "account.create", "source_ip": IP, "source_port": 51234, "session": "s"}),
    Sample("elasticsearch", {"type": "audit", "timestamp": "2026-11-22T10:00:00,123+0000", "node.id": "n",
                             "event.type": "rest", "event.action": "authentication_failed", "user.name": "bob",
                             "origin.type": "rest", "origin.address": f"{IP}:51234", "url.path": "/_search",
                             "request.id": "q1"},
           login("bob", "failure", source_port=51234, target="/_search", session="q1")),
    Sample("opensearch", {"audit_cluster_name": "c", "audit_node_name": "n", "audit_category": "FAILED_LOGIN",
                          "audit_request_origin": "REST", "@timestamp": T, "audit_request_effective_user": "bob",
                          "audit_request_remote_address": IP, "audit_rest_request_path": "/"},
           login("bob", "failure", target="/")),
    Sample("windows", WIN, {"actor": "admin", "action": "account.create", "outcome": "success",
                            "target": "account:bob"}),
    Sample("windows", {**WIN, "EventID": 4625, "EventType": "AUDIT_FAILURE", "SubjectUserName": "DC1$", "IpAddress": IP,
                       "IpPort": "51234"},
           login("bob", "failure", source_port=51234)),
    Sample("windows", {"@timestamp": T, "winlog": {"event_id": 4624, "channel": "Security", "event_data": {
        "TargetUserName": "alice", "IpAddress": f"::ffff:{IP}", "SubjectUserName": "-"}}, "host": {"name": "dc1"}},
           login("alice", "success")),
    Sample("windows", {"@timestamp": T, "winlog": {"event_id": "4728", "event_data": {
        "TargetUserName": "Domain Admins", "SubjectUserName": "admin", "MemberName": "CN=Bob B,OU=x,DC=y"}},
        "event": {"code": "4728", "action": "added-member-to-group", "outcome": "success"}},
           {"actor": "admin", "action": "group.member_add", "outcome": "success", "target": "account:Bob B"}),
    Sample("windows", {"Event": {"System": {"EventID": 4648, "Channel": "Security", "Computer": "dc1"},
                                 "EventData": {"SubjectUserName": "alice", "TargetUserName": "svc", "IpAddress": IP}}},
           {"actor": "alice", "actor_as": "svc", "action": "auth.switch", "outcome": "success", "source_ip": IP}),
    Sample("windows", {"EventID": 4776, "Channel": "Security", "Computer": "dc1", "Status": "0xc000006a",
                       "TargetUserName": "bob", "Workstation": "PC"},
           {"actor": "bob", "action": "auth.login", "outcome": "failure"}),
    Sample("osquery", OSQUERY, {"actor": "alice", "action": "session.open", "outcome": "success", "source_ip": IP}),
    Sample("osquery", {**OSQUERY, "action": "removed"}, {"actor": "alice", "action": "session.close",
                                                         "outcome": "success", "source_ip": IP}),
    Sample("osquery", {**OSQUERY, "name": "users", "columns": USERS},
           {"action": "account.create", "outcome": "success", "target": "account:bob"}),
    Sample("osquery", {**OSQUERY, "name": "last", "columns": {"username": "alice", "tty": "pts/0", "pid": "5",
                                                              "type": "8", "time": "1795341500", "host": IP}},
           {"actor": "alice", "action": "session.close", "outcome": "success", "source_ip": IP}),
    Sample("osquery", {**OSQUERY, "name": "user_events", "columns": USER_EVENT}, login("alice", "success")),
    Sample("osquery", {**OSQUERY, "name": "procs", "columns": {
        "pid": "7", "path": "/bin/sh", "cmdline": "sh -c id", "auid": "1000", "uid": "0", "parent": "1"}},
           {"actor": "1000", "action": "process.start", "target": "command:sh -c id"}),
    Sample("osquery", {**OSQUERY, "name": "files", "columns": {"target_path": "/etc/passwd", "action": "UPDATED",
                                                               "category": "etc", "time": "1795341500"}},
           {"action": "file.update", "target": "file:/etc/passwd"}),
    Sample("osquery", {**{k: v for k, v in OSQUERY.items() if k != "columns"}, "action": "snapshot",
                       "snapshot": [OSQUERY["columns"]]}, {"actor": "alice", "outcome": None, "source_ip": IP}),
    Sample("samba", {"timestamp": T, "type": "Authentication", "Authentication": {
        "status": "NT_STATUS_WRONG_PASSWORD", "remoteAddress": f"ipv4:{IP}:51234", "clientAccount": "bob",
        "mappedAccount": "bob", "version": {"major": 1}}},
           login("bob", "failure", reason="NT_STATUS_WRONG_PASSWORD", source_port=51234)),
    Sample("samba", {"timestamp": T, "type": "passwordChange", "passwordChange": {
        "action": "Reset", "statusCode": 0, "status": "Success", "remoteAddress": f"ipv4:{IP}:51234",
        "dn": "CN=bob,CN=Users", "userSid": "S-1-5-18"}},
           {"action": "account.password_reset", "outcome": "success", "target": "CN=bob,CN=Users", "source_ip": IP,
            "source_port": 51234}),
    Sample("wazuh", WAZUH, login("bob", "failure", reason="sshd: authentication failed.", source_port=51234)),
    Sample("wazuh", {**WAZUH, "rule": {"level": 3, "description": "x", "groups": ["windows"]}, "data": {"win": {
        "system": {"eventID": "4720"}, "eventdata": {"subjectUserName": "admin", "targetUserName": "bob"}}}},
           {"actor": "admin", "action": "account.create", "outcome": "success", "target": "account:bob"}),
    Sample("wazuh", {**WAZUH, "rule": {"level": 7, "description": "x", "groups": ["rootcheck"]}, "data": {"srcip": IP}},
           {"action": "detect.alert", "source_ip": IP}),
    Sample("falco", {"time": T, "rule": "Terminal shell in container", "priority": "Notice", "output": "A shell …",
                     "hostname": "n", "source": "syscall", "output_fields": {"user.name": "root", "proc.name": "sh"}},
           {"actor": "root", "action": "detect.alert", "reason": "Terminal shell in container"}),
    Sample("suricata", {"timestamp": T, "flow_id": 1, "event_type": "alert", "src_ip": IP, "src_port": 51234,
                        "dest_ip": "192.0.2.10", "dest_port": 80, "proto": "TCP", "alert": {"signature": "ET SCAN"}},
           {"action": "detect.alert", "reason": "ET SCAN", "target": "address:192.0.2.10", "source_ip": IP,
            "source_port": 51234}),
    Sample("suricata", {"timestamp": T, "flow_id": 1, "event_type": "http", "src_ip": IP, "src_port": 51234,
                        "dest_ip": "192.0.2.10", "proto": "TCP", "http": {"http_method": "GET", "status": 404}},
           {"action": "http.request", "outcome": "failure", "target": "address:192.0.2.10", "source_ip": IP,
            "source_port": 51234}),
    Sample("zeek", {**ZEEK, "_path": "ssh", "version": 2, "auth_success": False, "auth_attempts": 3},
           {"action": "auth.login", "outcome": "failure", "target": "address:192.0.2.10", "source_ip": IP,
            "source_port": 51234, "session": "C1"}),
    Sample("zeek", {**ZEEK, "proto": "tcp", "conn_state": "SF", "duration": 1.5},
           {"action": "net.connect", "outcome": "success", "target": "address:192.0.2.10", "source_ip": IP,
            "source_port": 51234, "session": "C1"}),
    Sample("zeek", {**ZEEK, "method": "GET", "uri": "/a", "status_code": 200, "username": "alice"},
           {"actor": "alice", "action": "http.request", "outcome": "success", "target": "/a", "source_ip": IP,
            "source_port": 51234, "session": "C1"}),
    Sample("ocsf", OCSF_LOGIN, login("bob", "failure", reason="bad password", source_port=51234)),
    Sample("ocsf", OCSF_ACCOUNT, {"actor": "alice", "action": "account.create", "outcome": "success",
                                  "target": "account:bob", "source_ip": IP}),
    Sample("ocsf", {"class_uid": 3002, "activity_id": 2, "time": 1764000000000, "status_id": 1,
                    "actor": {"user": {"email_addr": ALICE}}, "metadata": {}, "src_endpoint": {"ip": IP}},
           {"actor": ALICE, "action": "auth.logout", "outcome": "success", "source_ip": IP}),
    Sample("ocsf", {"class_uid": 6003, "activity_id": 1, "type_uid": 600301, "time": 1764000000000, "status": "Failure",
                    "actor": {"user": {"name": "alice"}}, "api": {"operation": "CreateBucket"},
                    "src_endpoint": {"ip": IP}},
           {"actor": "alice", "action": "api.create", "outcome": "failure", "target": "CreateBucket",
            "source_ip": IP}),
    Sample("otel", OTLP, login("alice", "success")),
    Sample("otel", {"timestamp": "1795341600000000000", "body": "GET /a", "severity_number": 9, "attributes": {
        "http.request.method": "GET", "url.path": "/a", "http.response.status_code": 404, "client.address": IP,
        "enduser.id": "alice"}, "resource": {"attributes": {"service.name": "shop"}}},
           {"actor": "alice", "action": "http.request", "outcome": "failure", "target": "/a", "source_ip": IP}),
    Sample("otel", {"Timestamp": T, "ServiceName": "shop", "SeverityText": "INFO", "Body": "x",
                    "LogAttributes": {"user": "alice", "action": "logout"}, "ResourceAttributes": {"host.name": "h"}},
           {"actor": "alice", "action": "auth.logout"}),
]  # fmt: skip

# --- what others run ---

TRAIL = {
    "eventVersion": "1.08", "userIdentity": {"type": "IAMUser", "userName": "alice", "arn": "arn:aws:iam::1:x"},
    "eventTime": T, "eventSource": "iam.amazonaws.com", "eventName": "CreateUser", "sourceIPAddress": IP,
    "requestParameters": {"userName": "bob"}, "responseElements": None, "eventID": "e1",
}  # fmt: skip
ROLE = {"type": "AssumedRole", "principalId": "AROA:alice", "arn": "arn:aws:sts::1:assumed-role/dev/alice",
        "sessionContext": {"sessionIssuer": {"type": "Role", "userName": "dev"}}}  # fmt: skip
GCP = {
    "protoPayload": {
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog", "status": {},
        "authenticationInfo": {"principalEmail": ALICE}, "requestMetadata": {"callerIp": IP},
        "serviceName": "compute.googleapis.com", "methodName": "v1.compute.instances.insert",
        "resourceName": "projects/p/zones/z/instances/i",
    },
    "insertId": "g1", "resource": {"type": "gce_instance", "labels": {}}, "timestamp": T, "severity": "NOTICE",
    "logName": "projects/p/logs/cloudaudit.googleapis.com%2Factivity",
}  # fmt: skip
AZURE_SIGN_IN = {
    "time": T, "resourceId": "/tenants/t/providers/Microsoft.aadiam", "operationName": "Sign-in activity",
    "category": "SignInLogs", "resultType": "50126", "resultDescription": "Invalid username or password.",
    "callerIpAddress": IP, "correlationId": "c1", "identity": "Alice A", "Level": 4,
    "properties": {"userPrincipalName": ALICE, "ipAddress": IP,
                   "status": {"errorCode": 50126, "failureReason": "Invalid username or password."}},
}  # fmt: skip
AZURE_AUDIT = {
    "time": T, "resourceId": "/tenants/t/providers/Microsoft.aadiam", "operationName": "Add member to group",
    "category": "AuditLogs", "resultSignature": "None", "correlationId": "c2", "properties": {
        "activityDisplayName": "Add member to group", "result": "success",
        "initiatedBy": {"user": {"userPrincipalName": ALICE, "ipAddress": IP}},
        "targetResources": [{"type": "User", "userPrincipalName": "bob@example.com"}]},
}  # fmt: skip
AZURE_ACTIVITY = {
    "time": T, "resourceId": "/SUBSCRIPTIONS/S/RESOURCEGROUPS/R", "category": "Administrative",
    "operationName": "MICROSOFT.COMPUTE/VIRTUALMACHINES/DELETE", "resultType": "Success", "callerIpAddress": IP,
    "resultSignature": "Succeeded.OK", "correlationId": "c3", "identity": {"claims": {
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn": ALICE, "name": "Alice A"}},
}  # fmt: skip
M365 = {
    "CreationTime": "2026-11-22T10:00:00", "Id": "m1", "Operation": "UserLoggedIn", "OrganizationId": "o",
    "RecordType": 15, "ResultStatus": "Success", "UserKey": "k", "UserType": 0, "Version": 1,
    "Workload": "AzureActiveDirectory", "ClientIP": IP, "ObjectId": "x", "UserId": ALICE,
}  # fmt: skip
WORKSPACE = {
    "kind": "admin#reports#activity", "id": {"time": T, "uniqueQualifier": "42", "applicationName": "admin"},
    "actor": {"callerType": "USER", "email": ALICE, "profileId": "1"}, "ipAddress": IP,
    "events": [{"type": "USER_SETTINGS", "name": "CREATE_USER",
                "parameters": [{"name": "USER_EMAIL", "value": "bob@example.com"}]}],
}  # fmt: skip
OKTA = {
    "uuid": "o1", "published": T, "eventType": "user.session.start", "version": "0", "severity": "INFO",
    "displayMessage": "User login to Okta",
    "actor": {"id": "00u1", "type": "User", "alternateId": ALICE, "displayName": "Alice A"},
    "client": {"ipAddress": IP, "zone": "null"}, "outcome": {"result": "FAILURE", "reason": "INVALID_CREDENTIALS"},
    "target": None, "authenticationContext": {"externalSessionId": "s1"},
    "legacyEventType": "core.user_auth.login_failed",
}  # fmt: skip
AUTH0 = {
    "date": T, "type": "fp", "description": "Wrong email or password.", "connection": "db", "client_id": "c",
    "client_name": "shop", "ip": IP, "user_agent": "x", "user_id": "auth0|1", "user_name": ALICE, "log_id": "l1",
    "_id": "l1", "isMobile": False,
}  # fmt: skip
DUO = {
    "access_device": {"ip": IP, "os": "x"}, "application": {"name": "ssh"}, "auth_device": {"ip": "192.0.2.9"},
    "event_type": "authentication", "factor": "duo_push", "reason": "user_marked_fraud", "result": "fraud",
    "timestamp": 1795341600, "isotimestamp": T, "txid": "t1", "user": {"key": "k", "name": "alice"},
}  # fmt: skip
JUMPCLOUD = {
    "id": "j1", "event_type": "user_create", "service": "directory", "timestamp": T, "client_ip": IP,
    "initiated_by": {"type": "admin", "email": ALICE, "id": "a"}, "resource": {"type": "user", "username": "bob"},
    "organization": "o", "success": True,
}  # fmt: skip
ONELOGIN = {
    "id": 7, "created_at": T, "account_id": 1, "user_id": 5, "event_type_id": 6, "ipaddr": IP, "user_name": "Bob B",
    "actor_user_id": None, "actor_user_name": None, "error_description": None, "notes": None,
}  # fmt: skip
ONEPASSWORD = {
    "uuid": "u1", "session_uuid": "s1", "timestamp": T, "country": "DE", "category": "credentials_failed",
    "type": "password_secret_bad", "details": None, "target_user": {"uuid": "x", "name": "Alice A", "email": ALICE},
    "client": {"app_name": "1Password", "ip_address": IP},
}  # fmt: skip
SLACK = {
    "id": "k1", "date_create": 1795341600, "action": "user_login", "details": {"type": "x"},
    "actor": {"type": "user", "user": {"id": "W1", "name": "Alice A", "email": ALICE, "team": "T1"}},
    "entity": {"type": "user", "user": {"id": "W1", "name": "Alice A", "email": ALICE}},
    "context": {"location": {"type": "workspace"}, "ua": "x", "session_id": 99, "ip_address": IP},
}  # fmt: skip
CLOUDFLARE = {
    "action": {"result": True, "type": "login"}, "actor": {"email": ALICE, "id": "x", "ip": IP, "type": "user"},
    "id": "f1", "interface": "UI", "metadata": {}, "newValue": "", "oldValue": "", "owner": {"id": "o"},
    "resource": {"id": "r", "type": "account"}, "when": T,
}  # fmt: skip
ATLASSIAN = {
    "id": "a1", "type": "events", "attributes": {
        "time": T, "action": "user_added_to_group", "actor": {"id": "1", "name": "Alice", "email": ALICE},
        "context": [{"id": "2", "type": "users", "attributes": {"email": "bob@example.com"}},
                    {"id": "3", "type": "groups", "attributes": {"name": "dev"}}],
        "location": {"ip": IP, "geo": "x"}}, "links": {},
}  # fmt: skip
BOX = {
    "type": "event", "event_id": "b1", "event_type": "LOGIN", "created_at": T, "ip_address": IP, "session_id": "s",
    "created_by": {"type": "user", "id": "1", "name": "Alice A", "login": ALICE},
    "source": {"type": "user", "id": "1", "name": "Alice A", "login": ALICE},
}  # fmt: skip

SERVICES = [
    Sample("cloudtrail", TRAIL, {"actor": "alice", "action": "account.create", "outcome": "success",
                                 "target": "account:bob", "source_ip": IP, "session": "e1"}),
    Sample("cloudtrail", {**TRAIL, "errorCode": "AccessDenied", "errorMessage": "not authorized"},
           {"actor": "alice", "action": "account.create", "outcome": "failure", "reason": "AccessDenied",
            "target": "account:bob", "source_ip": IP, "session": "e1"}),
    Sample("cloudtrail", {**TRAIL, "eventName": "ConsoleLogin", "requestParameters": None,
                          "sourceIPAddress": "AWS Internal", "responseElements": {"ConsoleLogin": "Failure"}},
           {"actor": "alice", "action": "auth.login", "outcome": "failure", "session": "e1"}),
    Sample("cloudtrail", {**TRAIL, "eventName": "DescribeInstances", "userIdentity": ROLE, "requestParameters": None},
           {"actor": "dev", "action": "api.read", "outcome": "success", "source_ip": IP, "session": "e1"}),
    Sample("cloudtrail", {**TRAIL, "eventName": "AssumeRole", "userIdentity": {
        "type": "AWSService", "invokedBy": "ec2.amazonaws.com"}, "requestParameters": {"roleArn": "arn:x"},
        "sourceIPAddress": "ec2.amazonaws.com"},
           {"actor": "ec2.amazonaws.com", "actor_as": "arn:x", "action": "auth.switch", "outcome": "success",
            "session": "e1"}),
    Sample("cloudtrail", {"Records": [TRAIL]}, {"actor": "alice", "action": "account.create", "outcome": "success",
                                                "target": "account:bob", "source_ip": IP, "session": "e1"}),
    Sample("cloudtrail", {"version": "0", "id": "x", "detail-type": "AWS API Call via CloudTrail", "source": "aws.iam",
                          "account": "1", "time": T, "region": "r", "resources": [], "detail": TRAIL},
           {"actor": "alice", "action": "account.create", "outcome": "success", "target": "account:bob",
            "source_ip": IP, "session": "e1"}),
    Sample("google_cloud", GCP, {"actor": ALICE, "action": "api.create", "outcome": "success", "source_ip": IP,
                                 "target": "projects/p/zones/z/instances/i", "session": "g1"}),
    Sample("google_cloud", {**GCP, "protoPayload": {
        **GCP["protoPayload"], "status": {"code": 7, "message": "PERMISSION_DENIED"},
        "methodName": "storage.objects.get",
        "requestMetadata": {"callerIp": "private"}, "resourceName": None}},
           {"actor": ALICE, "action": "api.read", "outcome": "failure", "reason": "PERMISSION_DENIED",
            "session": "g1"}),
    Sample("google_cloud", {**GCP, "protoPayload": {
        **GCP["protoPayload"], "methodName": "SetIamPolicy", "serviceData": {"policyDelta": {"bindingDeltas": [
            {"action": "ADD", "role": "roles/owner", "member": "user:bob@example.com"}]}}}},
           {"actor": ALICE, "action": "role.assign", "outcome": "success", "source_ip": IP,
            "target": "projects/p/zones/z/instances/i", "session": "g1"}),
    Sample("azure", AZURE_SIGN_IN, login(ALICE, "failure", reason="Invalid username or password.", session="c1",
                                         target="/tenants/t/providers/Microsoft.aadiam")),
    Sample("azure", {**AZURE_SIGN_IN, "resultType": "0", "properties": {"userPrincipalName": ALICE},
                     "callerIpAddress": "2001:db8::1", "resultDescription": None},
           {"actor": ALICE, "action": "auth.login", "outcome": "success", "source_ip": "2001:db8::1", "session": "c1",
            "target": "/tenants/t/providers/Microsoft.aadiam"}),
    Sample("azure", AZURE_AUDIT, {"actor": ALICE, "action": "group.member_add", "outcome": "success", "source_ip": IP,
                                  "target": "account:bob@example.com", "session": "c2"}),
    Sample("azure", {"records": [AZURE_ACTIVITY]},
           {"actor": ALICE, "action": "api.delete", "outcome": "success", "source_ip": IP,
            "target": "/SUBSCRIPTIONS/S/RESOURCEGROUPS/R", "session": "c3"}),
    Sample("entra_sign_in", {"id": "n1", "createdDateTime": T, "userDisplayName": "Alice A", "userPrincipalName": ALICE,
                             "userId": "u", "appDisplayName": "Portal", "ipAddress": IP, "clientAppUsed": "Browser",
                             "correlationId": "c", "status": {"errorCode": 0, "failureReason": "Other."}},
           login(ALICE, "success", session="c")),
    Sample("entra_audit", {"id": "n2", "category": "UserManagement", "correlationId": "c", "result": "failure",
                           "resultReason": "no licence", "activityDisplayName": "Add user", "activityDateTime": T,
                           "initiatedBy": {"app": None, "user": {"id": "u", "userPrincipalName": ALICE,
                           "ipAddress": IP}},
                           "targetResources": [{"type": "User", "userPrincipalName": "bob@example.com"}]},
           {"actor": ALICE, "action": "account.create", "outcome": "failure", "reason": "no licence",
            "target": "account:bob@example.com", "source_ip": IP, "session": "c"}),
    Sample("microsoft_365", M365, login(ALICE, "success", session="m1")),
    Sample("microsoft_365", {**M365, "Operation": "UserLoginFailed", "ClientIP": "[2001:db8::1]:4711",
                             "LogonError": "InvalidUserNameOrPassword"},
           {"actor": ALICE, "action": "auth.login", "outcome": "failure", "reason": "InvalidUserNameOrPassword",
            "source_ip": "2001:db8::1", "source_port": 4711, "session": "m1"}),
    Sample("microsoft_365", {**M365, "Operation": "Add user.", "ObjectId": "bob@example.com",
                             "ClientIP": "<null>", "ActorIpAddress": f"{IP}:443"},
           {"actor": ALICE, "action": "account.create", "outcome": "success", "target": "account:bob@example.com",
            "source_ip": IP, "source_port": 443, "session": "m1"}),
    Sample("microsoft_365", {"CreationDate": T, "RecordType": "15", "UserIds": ALICE, "Operations": "UserLoggedIn",
                             "AuditData": json.dumps(M365)}, login(ALICE, "success", session="m1")),
    Sample("google_workspace", WORKSPACE, {"actor": ALICE, "action": "account.create", "outcome": "success",
                                           "source_ip": IP, "target": "account:bob@example.com", "session": "42"}),
    Sample("google_workspace", {**WORKSPACE, "events": [{"type": "login", "name": "login_challenge"}]},
           {"actor": ALICE, "action": "auth.login", "source_ip": IP, "session": "42"}),
    Sample("google_workspace", {**WORKSPACE, "events": [{"type": "login", "name": "login_failure", "parameters": [
        {"name": "login_failure_type", "value": "login_failure_invalid_password"}]}]},
           login(ALICE, "failure", reason="login_failure_invalid_password", session="42")),
    Sample("okta", OKTA, login(ALICE, "failure", reason="INVALID_CREDENTIALS", session="s1")),
    Sample("okta", {**OKTA, "eventType": "group.user_membership.add", "outcome": {"result": "SUCCESS"}, "target": [
        {"type": "UserGroup", "displayName": "dev"}, {"type": "User", "alternateId": "bob@example.com"}]},
           {"actor": ALICE, "action": "group.member_add", "outcome": "success", "target": "account:bob@example.com",
            "source_ip": IP, "session": "s1"}),
    Sample("auth0", AUTH0, login(ALICE, "failure", reason="Wrong email or password.")),
    Sample("auth0", {"log_id": "l2", "data": {**AUTH0, "type": "sapi", "user_name": None, "user_id": None, "details": {
        "request": {"method": "patch", "path": "/api/v2/users/x", "auth": {"user": {"email": ALICE}}}}}},
           {"actor": ALICE, "action": "api.update", "outcome": "success", "source_ip": IP}),
    Sample("duo", DUO, login("alice", "failure", reason="user_marked_fraud", session="t1")),
    Sample("duo", {"action": "user_delete", "description": "{}", "isotimestamp": T, "object": "bob",
                   "timestamp": 1795341600, "username": "Admin"},
           {"actor": "Admin", "action": "account.delete", "target": "bob"}),
    Sample("jumpcloud", JUMPCLOUD, {"actor": ALICE, "action": "account.create", "outcome": "success",
                                    "target": "account:bob", "source_ip": IP, "session": "j1"}),
    Sample("onelogin", ONELOGIN, login("Bob B", "failure", session="7")),
    Sample("onelogin", {**ONELOGIN, "event_type_id": 17, "actor_user_name": "Alice A"},
           {"actor": "Alice A", "action": "account.delete", "outcome": "success", "target": "account:Bob B",
            "source_ip": IP, "session": "7"}),
    Sample("onepassword_sign_in", ONEPASSWORD, login(ALICE, "failure", reason="password_secret_bad", session="s1")),
    Sample("onepassword_usage", {"uuid": "u2", "timestamp": T, "used_version": 1, "vault_uuid": "v", "item_uuid": "i",
                                 "user": {"uuid": "x", "name": "Alice", "email": ALICE}, "action": "reveal",
                                 "client": {"ip_address": IP}},
           {"actor": ALICE, "action": "secret.read", "outcome": "success", "target": "item:i", "source_ip": IP,
            "session": "u2"}),
    Sample("onepassword_audit", {"uuid": "u3", "timestamp": T, "actor_uuid": "x", "actor_details": {"email": ALICE},
                                 "action": "suspend", "object_type": "user", "object_uuid": "y",
                                 "object_details": {"email": "bob@example.com"}, "session": {"uuid": "s", "ip": IP}},
           {"actor": ALICE, "action": "account.disable", "outcome": "success", "target": "account:bob@example.com",
            "source_ip": IP, "session": "s"}),
    Sample("bitwarden", {"object": "event", "type": 1005, "itemId": None, "collectionId": None, "groupId": None,
                         "policyId": None, "memberId": None, "actingUserId": "u1", "date": T, "device": 9,
                         "ipAddress": IP}, login("u1", "failure")),
    Sample("slack", SLACK, login(ALICE, "success", session="99")),
    Sample("slack", {**SLACK, "action": "user_deactivated", "entity": {"type": "user", "user": {
        "id": "W2", "name": "Bob", "email": "bob@example.com"}}},
           {"actor": ALICE, "action": "account.disable", "outcome": "success", "target": "account:bob@example.com",
            "source_ip": IP, "session": "99"}),
    Sample("cloudflare", CLOUDFLARE, login(ALICE, "success", target="account:r", session="f1")),
    Sample("cloudflare", {"ActionResult": True, "ActionType": "rec_add", "ActorEmail": ALICE, "ActorID": "x",
                          "ActorIP": IP, "ActorType": "user", "ID": "f2", "Interface": "API", "ResourceID": "z",
                          "ResourceType": "zone", "When": T},
           {"actor": ALICE, "action": "api.create", "outcome": "success", "target": "zone:z", "source_ip": IP,
            "session": "f2"}),
    Sample("cloudflare_http", {"ClientIP": IP, "ClientRequestMethod": "GET", "ClientRequestHost": "h",
    "ClientRequestURI": "/a",
                               "EdgeResponseStatus": 403, "EdgeStartTimestamp": T, "RayID": "y"},
           {"action": "http.request", "outcome": "failure", "target": "/a", "source_ip": IP, "session": "y"}),
    Sample("generic", {"EVENT_ID": 1, "EVENT_TIMESTAMP": T, "EVENT_TYPE": "LOGIN", "USER_NAME": "ALICE",
    "CLIENT_IP": IP,
                       "IS_SUCCESS": "NO", "ERROR_CODE": 390100, "ERROR_MESSAGE": "INCORRECT_USERNAME_PASSWORD"},
           login("ALICE", "failure", reason="INCORRECT_USERNAME_PASSWORD")),
    Sample("snowflake_query", {"QUERY_ID": "q", "QUERY_TEXT": "select 1", "USER_NAME": "ALICE", "ROLE_NAME": "ADMIN",
                               "QUERY_TYPE": "SELECT", "EXECUTION_STATUS": "SUCCESS", "START_TIME": T, "SESSION_ID": 5},
           {"actor": "ALICE", "actor_as": "ADMIN", "action": "data.query", "outcome": "success", "session": "5"}),
    Sample("salesforce", {"EVENT_TYPE": "Login", "TIMESTAMP_DERIVED": T, "ORGANIZATION_ID": "o", "USER_ID": "u",
                          "USER_NAME": ALICE, "CLIENT_IP": IP, "LOGIN_STATUS": "LOGIN_ERROR_INVALID_PASSWORD"},
           login(ALICE, "failure", reason="LOGIN_ERROR_INVALID_PASSWORD")),
    Sample("atlassian_org", ATLASSIAN, {"actor": ALICE, "action": "group.member_add", "outcome": "success",
                                        "target": "account:bob@example.com", "source_ip": IP}),
    Sample("atlassian", {"id": 1, "summary": "User added to group", "remoteAddress": IP, "authorKey": "alice",
                         "created": "2026-11-22T10:00:00.123+0000", "category": "group management",
                         "objectItem": {"name": "dev", "typeName": "GROUP"}},
           {"actor": "alice", "action": "group.member_add", "outcome": "success", "target": "dev", "source_ip": IP,
            "session": "1"}),
    Sample("atlassian", {"affectedObjects": [], "auditType": {"action": "User login failed", "category": "Auth",
                                                              "level": "BASE"},
                         "author": {"id": "-2", "name": "bob", "type": "user"}, "changedValues": [], "source": IP,
                         "system": "http://x", "timestamp": T, "version": "1.0"}, login("bob", "failure")),
    Sample("box", BOX, login(ALICE, "success", session="s")),
    Sample("zoom", {"time": T, "operator": ALICE, "category_type": "User", "action": "Delete",
                    "operation_detail": "Delete User bob@example.com"},
           {"actor": ALICE, "action": "account.delete", "outcome": "success"}),
    Sample("zoom", {"email": ALICE, "time": T, "type": "Sign in", "ip_address": IP, "client_type": "Browser",
                    "version": "-"}, login(ALICE, "success")),
    Sample("tailscale", {"eventGroupID": "g", "eventTime": T, "type": "CONFIG", "origin": "ADMIN_CONSOLE",
                         "actor": {"id": "u", "type": "USER", "loginName": ALICE, "displayName": "Alice"},
                         "action": "SUSPEND", "target": {"id": "n", "type": "USER", "name": "bob@example.com"}},
           {"actor": ALICE, "action": "account.disable", "outcome": "success", "target": "USER:bob@example.com",
            "session": "g"}),
    Sample("dropbox", {"timestamp": T, "event_category": {".tag": "logins"}, "event_type": {".tag": "login_fail"},
                       "actor": {".tag": "user", "user": {"email": ALICE, "display_name": "Alice"}},
                       "origin": {"geo_location": {"ip_address": IP}}, "details": {".tag": "x"}}, login(ALICE,
                       "failure")),
]  # fmt: skip

SERVICES += [
    Sample("ping_one", {"id": "p", "recordedAt": T, "correlationId": "c", "action": {"type": "USER.CREATED"},
                        "actors": {"client": {"id": "x"}, "user": {"id": "u", "name": "alice"}},
                        "resources": [{"type": "USER", "id": "v", "name": "bob"}],
                        "result": {"status": "SUCCESS", "description": "Created"}},
           {"actor": "alice", "action": "account.create", "outcome": "success", "target": "account:bob",
            "session": "c"}),
    Sample("crowdstrike", {"metadata": {"eventType": "AuthActivityAuditEvent", "eventCreationTime": 1795341600000},
                           "event": {"UserId": ALICE, "UserIp": IP, "OperationName": "grantUserRoles", "Success": True,
                                     "ServiceName": "x", "AuditKeyValues": [
                                         {"Key": "target_name", "ValueString": "bob@example.com"}]}},
           {"actor": ALICE, "action": "role.assign", "outcome": "success", "target": "account:bob@example.com",
            "source_ip": IP}),
]  # fmt: skip

# --- usual names ---

USUAL = [
    Sample("generic", {
        "@timestamp": T, "ecs": {"version": "8.0"}, "event": {"category": ["authentication"], "type": ["start"],
                                                              "action": "ssh_login", "outcome": "failure"},
        "user": {"name": "bob"}, "source": {"ip": IP, "port": 51234}, "host": {"name": "web1"},
        "system": {"auth": {"ssh": {"event": "Failed", "method": "password"}}}, "process": {"name": "sshd", "pid": 7},
    }, login("bob", "failure", source_port=51234)),
    Sample("auditbeat", {
        "@timestamp": T, "event": {"category": ["iam"], "type": ["user", "creation"], "action": "added-user-account",
                                   "outcome": "success", "module": "auditd"},
        "auditd": {"message_type": "add_user", "result": "success", "summary": {"actor": {"primary": "alice"}}},
        "user": {"name": "alice", "id": "1000", "target": {"name": "bob"}}, "host": {"name": "web1"},
    }, {"actor": "alice", "action": "account.create", "outcome": "success", "target": "account:bob"}),
    Sample("generic", {"level": "info", "ts": 1795341600.25, "logger": "http.log.access", "msg": "handled request",
                       "request": {"remote_ip": "192.0.2.1", "remote_port": "51234", "client_ip": IP, "method": "GET",
                                   "host": "h", "uri": "/a"}, "user_id": "", "status": 404, "duration": 0.1},
           {"action": "http.request", "outcome": "failure", "target": "/a", "source_ip": IP, "source_port": 51234}),
    Sample("http_access", {"ClientAddr": f"{IP}:51234", "ClientHost": IP, "ClientPort": "51234", "ClientUsername": "-",
                           "DownstreamStatus": 200, "RequestHost": "h", "RequestMethod": "GET", "RequestPath": "/a",
                           "StartUTC": T, "level": "info", "msg": "", "time": T},
           {"action": "http.request", "outcome": "success", "target": "/a", "source_ip": IP, "source_port": 51234}),
    Sample("http_access", {"time_iso8601": T, "remote_addr": "::ffff:" + IP, "remote_user": "alice",
    "request": "GET /a HTTP/1.1",
                           "status": "200", "http_x_forwarded_for": "192.0.2.1", "host": "h"},
           {"actor": "alice", "action": "http.request", "outcome": "success", "target": "/a", "source_ip": IP}),
    Sample("generic", {"version": "1.1", "host": "web1", "short_message": "m", "timestamp": 1795341600.5, "level": 6,
                       "_user": "alice", "_action": "login", "_client_ip": IP, "_success": False},
           login("alice", "failure")),
    Sample("generic", {"user": 1001, "pid": 12.0, "action": "login", "success": False, "ip": f"[{'2001:db8::1'}]:443"},
           {"actor": "1001", "action": "auth.login", "outcome": "failure", "source_ip": "2001:db8::1",
            "source_port": 443}),
    Sample("generic", {"time": T, "actor": {"id": 7, "email": ALICE}, "target": {"type": "user", "id": 9},
                       "event": "user.disabled", "result": "FAILURE", "reason": "not allowed",
                       "context": {"ip_address": f"{IP}, 10.0.0.1"}},
           {"actor": ALICE, "action": "account.disable", "outcome": "failure", "reason": "not allowed",
            "target": "user:9", "source_ip": IP}),
    Sample("structlog", {"event": "login_failed", "level": "warning", "timestamp": T, "user": {"username": "bob"},
                         "remote_addr": IP}, login("bob", "failure")),
    Sample("generic", {"log": json.dumps(K8S) + "\n", "stream": "stdout", "time": T},
           {"actor": "alice", "action": "secret.read", "outcome": "success", "target": "secrets:db", "source_ip": IP,
            "session": "a1"}),
    Sample("generic", {"MESSAGE": json.dumps({"user": "alice", "event": "login", "ok": True, "ip": IP}),
                       "SYSLOG_IDENTIFIER": "shop", "_HOSTNAME": "web1", "__REALTIME_TIMESTAMP": "1795341600000000"},
           login("alice", "success")),
    Sample("generic", {"@timestamp": T, "agent": {"type": "filebeat"}, "message": json.dumps(KEYCLOAK),
                       "log": {"file": {"path": "/x"}}}, login("bob", "failure", reason="invalid_user_credentials")),
]  # fmt: skip

USUAL += [
    Sample("generic", {"gid": "1", "created_at": T, "event_type": "user_login_succeeded", "event_category": "logins",
                       "actor": {"actor_type": "user", "gid": "2", "email": ALICE},
                       "resource": {"resource_type": "user", "gid": "2"}, "details": {"login_method": ["SAML"]},
                       "context": {"context_type": "web", "client_ip_address": IP}}, login(ALICE, "success")),
    Sample("generic", {"id": "f", "timestamp": T, "action": {"type": "user_login", "details": None},
                       "actor": {"type": "user", "id": "1", "email": ALICE}, "entity": {"type": "user", "id": "1"},
                       "context": {"client_name": "x", "ip_address": IP}},
           {"actor": ALICE, "action": "auth.login", "source_ip": IP, "target": "user:1"}),
    Sample("generic", {"id": "w", "action": "CreateUser", "status": "FAILED", "timestamp": T, "sourceIP": IP,
                       "user": {"id": "1", "name": ALICE}, "actionParameters": {"userEmail": "bob@example.com"}},
           {"actor": ALICE, "action": "account.create", "outcome": "failure", "source_ip": IP}),
    Sample("generic", {"operation": "delete", "resource_type": "user", "resource": "bob", "username": "admin",
                       "op_time": T, "operation_result": True},
           {"actor": "admin", "action": "account.delete", "outcome": "success", "target": "user:bob"}),
    Sample("generic", {"Time": T, "Username": ALICE, "IP_Address": IP, "Action": "Failed Login Attempt", "Data": "x"},
           login(ALICE, "failure")),
    Sample("generic", {"level": "error", "time": T, "msg": "Login failed", "remote_ip": IP, "username": "bob",
                       "error": "bad password"}, login("bob", "failure", reason="bad password")),
    Sample("generic", {"event": "auth", "user": {"login": "alice"}, "result": "allow", "src": f"{IP}:51234"},
           {"actor": "alice", "outcome": "success", "source_ip": IP, "source_port": 51234}),
    Sample("generic", {"ts": 1795341600, "who": "alice", "event_type": "password_change", "ok": True,
                       "client": {"address": IP, "port": 51234}},
           {"actor": "alice", "action": "account.password_change", "outcome": "success", "source_ip": IP,
            "source_port": 51234}),
    Sample("generic", {"timestamp": T, "principal": {"email": ALICE}, "operation": "role.assigned", "status": "ok",
                       "target": {"type": "user", "name": "bob"}, "client_ip": IP},
           {"actor": ALICE, "action": "role.assign", "outcome": "success", "target": "user:bob", "source_ip": IP}),
    Sample("generic", {"@timestamp": T, "event": {"kind": "event", "category": ["session"], "type": ["end"],
                                                  "action": "something", "outcome": "success"},
                       "user": {"name": "alice"}, "related": {"user": ["alice", "root"], "ip": ["192.0.2.1"]}},
           {"actor": "alice", "action": "session.close", "outcome": "success"}),
    # A product's shape with nothing of its own in it is read by the usual names.
    Sample("generic", {"actor": "alice", "events": ["x"], "id": {"a": 1}, "action": "login", "ip": IP, "result": "ok"},
           login("alice", "success")),
]  # fmt: skip

SELF_HOSTED += [
    Sample("mysql", {"timestamp": "2026-11-22 10:00:00", "id": 0, "class": "connection", "event": "connect",
                     "connection_id": 9, "account": {"user": "bob", "host": "%"},
                     "login": {"user": "bob", "os": "", "ip": IP, "proxy": ""},
                     "connection_data": {"connection_type": "ssl", "status": 1045, "db": "app"}},
           login("bob", "failure", session="9")),
    Sample("mysql", {"timestamp": "2026-11-22 10:00:00", "id": 1, "class": "table_access", "event": "insert",
                     "connection_id": 9, "account": {"user": "bob", "host": "%"}, "login": {"user": "bob", "ip": IP},
                     "table_access_data": {"db": "app", "table": "t", "query": "x", "sql_command": "insert"}},
           {"actor": "bob", "action": "data.write", "target": "table:t", "source_ip": IP, "session": "9"}),
    Sample("percona", {"audit_record": {"name": "Connect", "record": "1_2026", "timestamp": T, "connection_id": "9",
                                        "status": 0, "user": "alice", "priv_user": "alice", "ip": IP, "db": "app"}},
           login("alice", "success", session="9")),
    Sample("percona", {"audit_record": {"name": "Query", "record": "2_2026", "timestamp": T, "connection_id": "9",
                                        "command_class": "drop_user", "sqltext": "drop user bob", "status": 0,
                                        "user": "root[root] @ localhost [127.0.0.1]", "ip": "127.0.0.1"}},
           {"actor": "root", "action": "account.delete", "outcome": "success", "source_ip": "127.0.0.1",
            "session": "9"}),
    Sample("docker_events", {"status": "start", "id": "c1", "from": "nginx", "Type": "container", "Action": "start",
                             "Actor": {"ID": "c1", "Attributes": {"image": "nginx", "name": "web"}}, "scope": "local",
                             "time": 1795341600, "timeNano": 1795341600123456789},
           {"action": "process.start", "outcome": "success", "target": "container:web"}),
    Sample("docker_events", {"Type": "container", "Action": "exec_start: sh -c id", "scope": "local",
                             "Actor": {"ID": "c1", "Attributes": {"name": "web"}}, "timeNano": 1795341600123456789},
           {"action": "command.exec", "outcome": "success", "target": "command:sh -c id"}),
    Sample("windows", {"@timestamp": T, "winlog": {"channel": "x", "event_id": 4103}, "user": {"name": "alice"},
                       "event": {"code": "4103", "category": ["process"], "type": ["start"], "action": "x"}},
           {"actor": "alice", "action": "process.start"}),
    Sample("teleport", {"code": "T1002I", "event": "user.create", "time": T, "uid": "u", "user": "alice",
                        "name": "bob", "roles": ["dev"]},
           {"actor": "alice", "action": "account.create", "outcome": "success", "target": "account:bob"}),
]  # fmt: skip
SERVICES += [
    Sample("guardduty", {"schemaVersion": "2.0", "accountId": "1", "region": "r", "id": "g", "arn": "arn:x",
                         "type": "UnauthorizedAccess:IAMUser/ConsoleLogin", "severity": 5,
                         "resource": {"accessKeyDetails": {"userName": "alice"}}, "service": {"action": {
                             "awsApiCallAction": {"remoteIpDetails": {"ipAddressV4": IP}}}}},
           {"actor": "alice", "action": "detect.alert", "reason": "UnauthorizedAccess:IAMUser/ConsoleLogin",
            "target": "arn:x", "source_ip": IP, "session": "g"}),
    Sample("microsoft_365", {**M365, "Operation": "New-RetentionPolicy", "ResultStatus": "True", "ObjectId": "p",
                             "ClientIP": f"{IP}:4711"},
           {"actor": ALICE, "action": "api.create", "outcome": "success", "target": "p", "source_ip": IP,
            "source_port": 4711, "session": "m1"}),
]  # fmt: skip
USUAL += [
    Sample("generic", {"actor": "admin", "operation": "create", "object1": "user", "object2": "", "changes": {},
                       "logger_name": "awx.analytics.activity_stream", "@timestamp": T},
           {"actor": "admin", "action": "account.create"}),
    Sample("generic", {"user": "alice", "action": "login", "error": "none", "peer_address": "192.0.2.1:443"},
           {"actor": "alice", "action": "auth.login"}),
]  # fmt: skip
COUCHBASE = {
    "description": "Unsuccessful attempt to login", "id": 8193, "name": "login failure", "timestamp": T,
    "real_userid": {"domain": "rejected", "user": "bob"}, "remote": {"ip": IP, "port": 51234},
    "local": {"ip": "192.0.2.10", "port": 8091},
}  # fmt: skip
MYSQL_ACTIVITY = {
    "msg-type": "activity", "date": "1795341600123", "thread-id": "12", "query-id": "0", "user": "bob",
    "priv_user": "", "ip": IP, "host": "", "cmd": "Failed Login", "query": "Failed Login",
}  # fmt: skip
COWRIE = {"eventid": "cowrie.login.failed", "username": "bob", "password": "x", "message": "login attempt failed",
          "sensor": "trap1", "timestamp": T, "src_ip": IP, "session": "s1"}  # fmt: skip
OTHERS = [
    Sample("couchbase", COUCHBASE, login("bob", "failure", source_port=51234)),
    Sample("couchbase", {**COUCHBASE, "id": 8192, "name": "login success"},
           login("bob", "success", source_port=51234)),
    Sample("mysql_activity", MYSQL_ACTIVITY, login("bob", "failure", session="12")),
    Sample("mysql_activity", {**MYSQL_ACTIVITY, "cmd": "select", "query": "select 1"},
           {"actor": "bob", "action": "data.query", "source_ip": IP, "session": "12"}),
    Sample("cloudflare_access", {"Action": "login", "Allowed": True, "AppDomain": "app.example.com", "AppUUID": "a",
                                 "CreatedAt": T, "Email": ALICE, "IPAddress": IP, "RayID": "r1", "UserUID": "u1"},
           login(ALICE, "success", session="r1")),
    Sample("cloudflare_access", {"action": "login", "allowed": False, "app_domain": "app.example.com",
                                 "created_at": T, "ip_address": IP, "ray_id": "r1", "user_email": ALICE},
           login(ALICE, "failure", session="r1")),
    Sample("cowrie", COWRIE, login("bob", "failure", session="s1")),
    Sample("cowrie", {**COWRIE, "eventid": "cowrie.command.input", "input": "id", "username": None},
           {"action": "command.exec", "target": "command:id", "source_ip": IP, "session": "s1"}),
    Sample("generic", {"event_type": "firewall", "action": "deny", "src_ip": IP, "dst_ip": "192.0.2.10"},
           {"action": "net.refuse", "outcome": "failure", "source_ip": IP}),
    Sample("generic", {"type": "logout", "email": ALICE, "ip_address": IP, "outcome": "ok"},
           {"actor": ALICE, "action": "auth.logout", "outcome": "success", "source_ip": IP}),
    Sample("zeek", {**ZEEK, "_path": "ssh", "auth_success": False, "client": "SSH-2.0-x"},
           {"action": "auth.login", "outcome": "failure", "target": "address:192.0.2.10", "source_ip": IP,
            "source_port": 51234, "session": "C1"}),
]  # fmt: skip

SELF_HOSTED += [
    Sample("nextcloud", {**NEXTCLOUD, "message": 'File with id "12" written to: "/x"'},
           {"actor": "alice", "action": "file.update", "outcome": "success", "source_ip": IP, "session": "q"}),
    Sample("nextcloud", {**NEXTCLOUD, "message": 'User "bob" added to group "dev"'},
           {"actor": "alice", "action": "group.member_add", "outcome": "success", "target": "account:bob",
            "source_ip": IP, "session": "q"}),
    Sample("nextcloud", {**NEXTCLOUD, "message": 'User "x" removed from group "y" added to group "z"'},
           {"actor": "alice", "source_ip": IP, "session": "q"}),
]  # fmt: skip
SERVICES += [
    Sample("duo", {"action": "admin_login", "description": json.dumps({"ip_address": IP, "device": "x"}),
                   "isotimestamp": T, "object": None, "timestamp": 1795341600, "username": "Admin"},
           {"actor": "Admin", "action": "auth.login", "source_ip": IP}),
    Sample("zoom", {"event": "user.created", "payload": {"account_id": "a", "operator": ALICE, "object": {
        "id": "u", "email": "bob@example.com", "type": 1}}},
           {"actor": ALICE, "action": "account.create", "outcome": "success", "target": "account:bob@example.com"}),
    Sample("salesforce", {"attributes": {"type": "LoginEvent"}, "EventDate": T, "Username": ALICE, "SourceIp": IP,
                          "LoginType": "Application", "Status": "Success", "SessionKey": None},
           login(ALICE, "success")),
    Sample("aws_waf", {"timestamp": 1795341600123, "action": "BLOCK", "terminatingRuleId": "r", "httpRequest": {
        "clientIp": IP, "uri": "/a", "httpMethod": "GET", "requestId": "q"}},
           {"action": "http.request", "outcome": "failure", "reason": "r", "target": "/a", "source_ip": IP,
            "session": "q"}),
    Sample("microsoft_365", {**{k: v for k, v in M365.items() if k != "ResultStatus"}, "Operation": "FileDownloaded",
                             "ObjectId": "https://x/a.txt", "Workload": "SharePoint"},
           {"actor": ALICE, "action": "file.read", "outcome": "success", "target": "file:https://x/a.txt",
            "source_ip": IP, "session": "m1"}),
]  # fmt: skip
USUAL += [
    Sample("generic", {"httpRequest": {"requestMethod": "GET", "requestUrl": "https://x/a", "status": 200,
                                       "remoteIp": IP}, "insertId": "i", "severity": "INFO", "timestamp": T},
           {"action": "http.request", "outcome": "success", "target": "https://x/a", "source_ip": IP}),
]  # fmt: skip

CLOUD_EVENT = {"specversion": "1.0", "id": "e1", "source": "crn://x", "subject": "root", "time": T}
BOUNDARY = {
    **CLOUD_EVENT, "type": "audit", "data": {
        "id": "d1", "version": "v0.1", "type": "APIRequest", "timestamp": T,
        "request_info": {"id": "g1", "method": "DELETE", "path": "/v1/users/u_9", "public_id": "at_1", "client_ip": IP},
        "auth": {"accessor_id": "a", "user_info": {"id": "u_1"}, "user_email": ALICE, "user_name": "alice"},
        "response": {"status_code": 403},
    },
}  # fmt: skip
CONFLUENT = {
    **CLOUD_EVENT, "type": "io.confluent.kafka.server/authorization", "data": {
        "serviceName": "crn://x", "methodName": "kafka.CreateTopics", "resourceName": "crn://x/topic=orders",
        "authenticationInfo": {"principal": "User:alice", "metadata": {"mechanism": "SASL_SSL/PLAIN"}},
        "authorizationInfo": {"granted": True, "operation": "Create"},
        "request": {"client_id": "root"}, "requestMetadata": {"client_address": f"/{IP}"},
    },
}  # fmt: skip
SPRING = {"timestamp": T, "principal": "bob", "type": "AUTHENTICATION_FAILURE",
          "data": {"message": "Bad credentials", "details": {"remoteAddress": IP, "sessionId": "s1"}}}  # fmt: skip
AUTHELIA = {"level": "error", "method": "POST", "path": "/api/firstfactor", "remote_ip": IP, "stack": [], "time": T,
            "msg": "Unsuccessful 1FA authentication attempt by user 'bob'"}  # fmt: skip
SYSMON = {"EventTime": T, "Hostname": "w1", "EventID": 1, "SourceName": "Microsoft-Windows-Sysmon",
          "AccountName": "SYSTEM", "User": "alice", "CommandLine": "id", "Message": "Process Create"}  # fmt: skip
SELF_HOSTED += [
    Sample("boundary", BOUNDARY["data"], {"actor": "alice", "action": "api.delete", "outcome": "failure",
                                          "source_ip": IP, "target": "/v1/users/u_9", "session": "g1"}),
    Sample("cloud_events", BOUNDARY, {"actor": "alice", "action": "api.delete", "outcome": "failure", "source_ip": IP,
                                      "target": "/v1/users/u_9", "session": "g1"}),
    Sample("cloud_events", {**CLOUD_EVENT, "type": "x", "data": {"start": T, "status": 200, "request_info": {
        "id": "g1", "method": "POST", "path": "/v1/auth-methods/am_1:authenticate", "client_ip": IP}}},
           {"action": "auth.login", "outcome": "success", "source_ip": IP, "session": "g1",
            "target": "/v1/auth-methods/am_1:authenticate"}),
    Sample("cloud_events", CONFLUENT, {"actor": "alice", "action": "api.create", "outcome": "success", "source_ip": IP,
                                    "target": "crn://x/topic=orders"}),
    Sample("confluent", {
        "serviceName": "crn://x", "methodName": "kafka.Authentication", "resourceName": "crn://x",
        "authenticationInfo": {"principal": "None:UNKNOWN_USER"}, "requestMetadata": {"client_address": f"/{IP}"},
        "result": {"status": "UNAUTHENTICATED", "message": "Bad password for user root"}},
           {"action": "auth.login", "outcome": "failure", "reason": "Bad password for user root", "source_ip": IP,
            "target": "crn://x"}),
    Sample("cloud_events", {**CLOUD_EVENT, "type": "user.deleted", "data": {"user": "alice", "ip": IP}},
           {"actor": "alice", "action": "account.delete", "source_ip": IP}),
    Sample("spring", SPRING, login("bob", "failure", reason="Bad credentials", session="s1")),
    Sample("spring", {**SPRING, "type": "AUTHORIZATION_FAILURE", "data": {"remoteAddress": IP}},
           {"actor": "bob", "outcome": "failure", "source_ip": IP}),
    Sample("authelia", AUTHELIA, login("bob", "failure")),
    Sample("authelia", {**AUTHELIA, "msg": "Unsuccessful 1FA authentication attempt by user 'a' by user 'root'"},
           {"source_ip": IP}),
    Sample("grafana_log", {"t": T, "level": "info", "logger": "context", "msg": "Request Completed", "method": "POST",
                           "path": "/login", "status": 401, "remote_addr": IP, "userId": 0, "uname": ""},
           {"action": "auth.login", "outcome": "failure", "source_ip": IP}),
    Sample("grafana_log", {"t": T, "level": "info", "logger": "context", "msg": "Successful Login", "User": "alice"},
           {"actor": "alice", "action": "auth.login", "outcome": "success"}),
    Sample("argocd", {"level": "info", "msg": "finished unary call with code OK", "grpc.code": "OK", "time": T,
                      "grpc.method": "Delete", "grpc.service": "application.ApplicationService",
                      "grpc.request.claims": json.dumps({"iss": "argocd", "sub": "alice:login"})},
           {"actor": "alice", "action": "api.delete", "outcome": "success"}),
    Sample("github_webhook", {"action": "member_added", "organization": {"login": "x"}, "sender": {"login": "alice"},
                              "membership": {"user": {"login": "bob"}, "role": "member"}},
           {"actor": "alice", "action": "group.member_add", "target": "account:bob"}),
    Sample("kubernetes", {**K8S, "verb": "create", "responseStatus": {"code": 101}, "objectRef": {
        "resource": "pods", "name": "p", "subresource": "exec"}},
           {"actor": "alice", "action": "command.exec", "outcome": "success", "target": "pods:p", "source_ip": IP,
            "session": "a1"}),
    Sample("kubernetes", {**K8S, "responseStatus": None,
                          "annotations": {"authorization.k8s.io/decision": "forbid"}},
           {"actor": "alice", "action": "secret.read", "outcome": "failure", "target": "secrets:db", "source_ip": IP,
            "session": "a1"}),
    Sample("zeek", {**ZEEK, "proto": "tcp", "conn_state": "S0"},
           {"action": "net.connect", "outcome": "failure", "target": "address:192.0.2.10", "source_ip": IP,
            "source_port": 51234, "session": "C1"}),
    Sample("zeek", {"ts": 1795341600.5, "note": "SSH::Password_Guessing", "msg": "x", "src": IP, "suppress_for": 3600},
           {"action": "detect.alert", "reason": "SSH::Password_Guessing", "source_ip": IP}),
    Sample("windows", SYSMON, {"actor": "alice", "action": "process.start", "target": "command:id"}),
    Sample("windows", {"System": {"EventID": 3, "Provider": {"Name": "Microsoft-Windows-Sysmon"}}, "EventData": {
        "User": "alice", "SourceIp": IP, "SourcePort": "51234", "DestinationIp": "192.0.2.10"}},
           {"actor": "alice", "action": "net.connect", "target": "address:192.0.2.10", "source_ip": IP,
            "source_port": 51234}),
    Sample("windows", {"System": {"EventID": "4625", "Channel": "Security"}, "EventData": {"Data": [
        {"Name": "TargetUserName", "#text": "bob"}, {"Name": "IpAddress", "#text": IP}]}}, login("bob", "failure")),
    Sample("osquery", {"name": "users", "hostIdentifier": "h", "unixTime": 1795341600, "diffResults": {
        "added": [USERS], "removed": []}},
           {"action": "account.create", "outcome": "success", "target": "account:bob"}),
    Sample("keycloak", {**KEYCLOAK, "type": "REFRESH_TOKEN", "error": None}, {
        "actor": "bob", "outcome": "success", "source_ip": IP}),
    Sample("keycloak_admin", {"time": 1764000000000, "realmId": "r", "operationType": "ACTION", "resourceType": "USER",
                              "resourcePath": "users/u7/reset-password", "authDetails": {"userId": "u9",
                                                                                         "ipAddress": IP}},
           {"actor": "u9", "action": "account.password_reset", "outcome": "success", "source_ip": IP,
            "target": "users/u7/reset-password"}),
    Sample("opensearch", {"audit_category": "MISSING_PRIVILEGES", "audit_node_name": "n", "@timestamp": T,
                          "audit_request_effective_user": "bob", "audit_request_remote_address": IP,
                          "audit_request_privilege": "indices:data/read/search"},
           {"actor": "bob", "action": "data.query", "outcome": "failure", "source_ip": IP}),
]  # fmt: skip
SERVICES += [
    Sample("tailscale", {"version": "1.1", "tailnetId": "x", "logs": [
        {"action": "CREATE", "actor": {"id": "u1", "loginName": ALICE}, "eventGroupID": "g", "eventTime": T,
         "origin": "ADMIN_CONSOLE", "target": {"id": "n1", "name": "h", "type": "NODE"}}]},
           {"actor": ALICE, "action": "api.create", "outcome": "success", "target": "NODE:h", "session": "g"}),
    Sample("pagerduty", {"id": "p1", "execution_time": T, "action": "create",
                         "execution_context": {"request_id": "r1", "remote_address": IP},
                         "actors": [{"id": "P1", "summary": "Alice", "type": "user_reference"}],
                         "root_resource": {"id": "P2", "type": "user_reference", "summary": "Bob"}},
           {"actor": "Alice", "action": "account.create", "outcome": "success", "target": "Bob", "source_ip": IP,
            "session": "r1"}),
    Sample("sentinel_one", {"activityType": 27, "createdAt": T, "data": {"ipAddress": IP, "username": "alice"},
                            "id": "1", "primaryDescription": "The management user alice logged in.", "userId": "u"},
           login("alice", "success", session="1")),
    Sample("defender", {"Timestamp": T, "ActionType": "LogonFailed", "AccountName": "bob", "RemoteIP": IP,
                        "DeviceName": "w1", "FailureReason": "InvalidUserNameOrPassword"},
           login("bob", "failure", reason="InvalidUserNameOrPassword")),
    Sample("defender", {"Timestamp": T, "ActionType": "ConnectionSuccess", "AccountName": "bob", "RemoteIP": IP,
                        "DeviceName": "w1"}, {"actor": "bob"}),
    Sample("azure", {"time": T, "resourceId": "/v", "operationName": "SecretSet", "category": "AuditEvent",
                     "resultType": "Success", "callerIpAddress": IP, "identity": {"claim": {"upn": ALICE}},
                     "properties": {"httpStatusCode": 403}},
           {"actor": ALICE, "action": "secret.write", "outcome": "failure", "target": "/v", "source_ip": IP}),
]  # fmt: skip
USUAL += [
    Sample("generic", {"type": "audit", "timestamp": T, "data": {"user": "alice", "action": "login", "ip": IP,
                                                                  "status": "success"}}, login("alice", "success")),
    Sample("generic", {"sourcetype": "_json", "event": {"user": "alice", "action": "login", "ip": IP, "ok": True}},
           login("alice", "success")),
    Sample("generic", {"user": "bob", "src": f"host/{IP}:51234", "action": "login", "success": False},
           login("bob", "failure", source_port=51234)),
]  # fmt: skip

SELF_HOSTED += [
    Sample("opencanary", {"dst_host": "192.0.2.10", "logdata": {"PASSWORD": "x", "USERNAME": "bob"}, "logtype": 4002,
                          "node_id": "n1", "src_host": IP, "src_port": 51234, "utc_time": T},
           login("bob", "failure", source_port=51234, target="address:192.0.2.10")),
    Sample("sql_server", {"event_time": T, "action_id": "LGIF", "succeeded": False, "server_principal_name": "bob",
                          "client_ip": IP, "session_id": 0}, login("bob", "failure", session="0")),
    Sample("cyberark", {"format": "elastic", "version": "1.0", "syslog": {"audit_record": {
        "IsoTimestamp": T, "Hostname": "v1", "Severity": "Error", "Issuer": "bob", "Action": "Logon",
        "Station": IP, "Reason": "no", "Message": "Authentication failure"}}}, login("bob", "failure", reason="no")),
    Sample("terraform", {"id": "1", "version": "0", "type": "Resource", "timestamp": T, "request": {"id": "r1"},
                         "auth": {"accessor_id": "user-1", "description": "alice", "type": "Client"},
                         "resource": {"id": "ws-1", "type": "workspace", "action": "create"}},
           {"actor": "alice", "action": "api.create", "target": "workspace:ws-1", "session": "r1"}),
]  # fmt: skip
USUAL += [
    Sample("generic", {"payload": {"action": "login", "actor_username": ALICE}, "created_at": T, "ip_address": IP},
           {"actor": ALICE, "action": "auth.login", "source_ip": IP}),
    Sample("generic", {"user_id": "u1", "email": ALICE, "action": "login", "ip": IP, "outcome": "success"},
           login(ALICE, "success")),
    Sample("generic", {"user_id": "u1", "email": ALICE, "action": "create_user", "ip": IP},
           {"actor": "u1", "action": "account.create", "source_ip": IP}),
    Sample("generic", {"@timestamp": T, "event": {"original": json.dumps({"user": "bob", "event": "login", "ip": IP,
                                                                           "success": False})}},
           login("bob", "failure")),
]  # fmt: skip

SELF_HOSTED += [
    Sample("owasp", {"datetime": T, "appid": "shop", "event": "authn_login_fail:bob", "level": "WARN",
                     "description": "User bob login failed", "source_ip": IP, "hostname": "h"},
           login("bob", "failure")),
    Sample("hubble", {"flow": {"time": T, "verdict": "DROPPED", "IP": {"source": IP, "destination": "192.0.2.10"},
                               "l4": {"TCP": {"source_port": 51234, "destination_port": 22}}}, "node_name": "n"},
           {"action": "net.refuse", "outcome": "failure", "source_ip": IP, "source_port": 51234,
            "target": "address:192.0.2.10"}),
    Sample("tetragon", {"process_exec": {"process": {"pid": 5, "binary": "/bin/id"}}, "node_name": "n", "time": T},
           {"action": "process.start", "target": "command:/bin/id"}),
]  # fmt: skip
USUAL += [
    Sample("generic", {"message": "Failed login attempt", "context": {"email": ALICE, "ip": IP}, "channel": "auth",
                       "level_name": "WARNING", "datetime": T}, login(ALICE, "failure")),
    Sample("generic", {"level": "INFO", "properties": {"user": "bob", "action": "user.delete", "ip": IP}},
           {"action": "account.delete", "source_ip": IP}),
    Sample("generic", {"action": "allow", "src_ip": IP, "dst_ip": "192.0.2.10", "proto": "tcp"},
           {"action": "net.connect", "outcome": "success", "source_ip": IP}),
]  # fmt: skip

SERVICES += [
    Sample("forgerock", {"_id": "i", "timestamp": T, "eventName": "AM-LOGIN-COMPLETED", "transactionId": "t1",
                         "userId": "id=alice,ou=user,dc=x", "principal": [], "result": "FAILED",
                         "client": {"ip": IP, "port": 51234}, "topic": "authentication"},
           login("alice", "failure", source_port=51234, session="t1")),
    Sample("cloudflare_gateway", {"Datetime": T, "Email": ALICE, "Action": "blocked", "SourceIP": IP, "UserID": "u1",
                                  "SourcePort": 51234, "DestinationIP": "192.0.2.10"},
           {"actor": ALICE, "action": "net.refuse", "outcome": "failure", "source_ip": IP, "source_port": 51234,
            "target": "address:192.0.2.10"}),
    Sample("okta", {"eventType": "user.session.start", "actor": {"alternateId": ALICE}, "client": {"ipAddress": IP},
                    "outcome": {"result": "FAILURE"}}, login(ALICE, "failure")),
]  # fmt: skip
USUAL += [
    Sample("generic", {"event_type": "authentication", "username": "bob", "source_ip": IP, "status": "failed"},
           login("bob", "failure")),
    Sample("generic", {"logGroup": "g", "logEvents": [{"id": "1", "timestamp": 1764000000000, "message": json.dumps(
        {"user": "bob", "action": "login", "ip": IP, "access": "denied"})}]}, login("bob", "failure")),
]  # fmt: skip

SELF_HOSTED += [
    Sample("teleport", {"code": "TDB00W", "event": "db.session.start", "time": T, "uid": "u", "success": False,
                        "user": "alice", "error": "access denied", "addr.remote": f"{IP}:51234"},
           {"actor": "alice", "action": "session.open", "outcome": "failure", "reason": "access denied",
            "source_ip": IP, "source_port": 51234}),
    Sample("zeek", {**ZEEK, "username": "bob", "domainname": "X", "success": True},
           login("bob", "success", source_port=51234, session="C1", target="address:192.0.2.10")),
]  # fmt: skip
USUAL += [
    Sample("generic", {"msg": "authentication failed", "user": "bob", "addr": f"{IP}:51234"},
           login("bob", "failure", source_port=51234)),
    Sample("generic", {"msg": "listening", "user": "svc", "addr": f"{IP}:51234"}, {"actor": "svc"}),
    Sample("generic", {"admin": "alice", "user": "bob", "action": "grant_role", "ip": IP},
           {"actor": "alice", "action": "role.assign", "source_ip": IP}),
    Sample("generic", {"admin": "false", "user": "bob", "action": "login", "ip": IP, "ok": True},
           login("bob", "success")),
]  # fmt: skip

SERVICES += [
    Sample("databricks", {"version": "2.0", "timestamp": 1764000000000, "sourceIPAddress": IP,
                          "serviceName": "accounts", "userIdentity": {"email": ALICE}, "actionName": "add",
                          "requestParams": {"targetUserName": "bob"}, "response": {"statusCode": 403}},
           {"actor": ALICE, "action": "account.create", "outcome": "failure", "target": "account:bob",
            "source_ip": IP}),
    Sample("windows", {**WIN, "EventType": "AUDIT_FAILURE", "EventID": 4723},
           {"actor": "admin", "action": "account.password_change", "outcome": "failure", "target": "account:bob"}),
]  # fmt: skip
USUAL += [
    Sample("generic", {"action": "user.disable", "user": "bob", "disabled_by": "alice", "ip": IP},
           {"actor": "alice", "action": "account.disable", "target": "account:bob", "source_ip": IP}),
    Sample("generic", {"action": "login", "user": "bob", "created_by": "alice", "ip": IP, "outcome": "success"},
           login("bob", "success")),
    Sample("generic", {"_index": "x", "_source": {"user": {"name": "bob"}, "source": {"ip": IP}, "event": {
        "action": "login", "outcome": "failure"}}}, login("bob", "failure")),
]  # fmt: skip

FAILED = "Failed password for bob from 203.0.113.7 port 51234 ssh2"
SELF_HOSTED += [
    Sample("fileset", {"@timestamp": T, "fileset": {"module": "nginx", "name": "access"}, "nginx": {"access": {
        "remote_ip": IP, "user_name": "alice", "method": "GET", "url": "/a", "response_code": "403"}}},
           {"actor": "alice", "action": "http.request", "outcome": "failure", "target": "/a", "source_ip": IP}),
    Sample("fileset", {"@timestamp": T, "fileset": {"module": "system", "name": "auth"}, "system": {"auth": {
        "hostname": "web1", "program": "sshd", "pid": "7", "user": "bob",
        "ssh": {"event": "Failed", "method": "password", "ip": IP, "port": "51234"}}}},
           login("bob", "failure", source_port=51234)),
    Sample("fileset", {"@timestamp": T, "fileset": {"module": "system", "name": "auth"}, "system": {"auth": {
        "program": "sudo", "user": "alice", "sudo": {"tty": "pts/0", "user": "root", "command": "/bin/id"}}}},
           {"actor": "alice", "actor_as": "root", "action": "command.exec", "target": "command:/bin/id"}),
    Sample("fileset", {"@timestamp": T, "fileset": {"module": "system", "name": "auth"}, "system": {"auth": {
        "program": "useradd", "useradd": {"name": "bob", "uid": "1001"}}}},
           {"action": "account.create", "target": "user:bob"}),
    Sample("nexus", {"timestamp": T, "nodeId": "n", "initiator": f"alice/{IP}", "domain": "security.user",
                     "type": "created", "context": "bob", "thread": "t", "attributes": {"id": "bob"}},
           {"actor": "alice", "action": "account.create", "target": "account:bob", "source_ip": IP}),
    Sample("mariadb", {"timestamp": "20261122 10:00:00", "serverhost": "db", "username": "bob", "host": IP,
                       "connectionid": "7", "queryid": "0", "operation": "FAILED_CONNECT", "database": "",
                       "object": "", "retcode": "1045"}, login("bob", "failure", session="7")),
    Sample("mariadb", {"timestamp": "20261122 10:00:00", "serverhost": "db", "username": "alice", "host": "localhost",
                       "connectionid": "7", "queryid": "9", "operation": "QUERY", "database": "app",
                       "object": "select 1", "retcode": "0"},
           {"actor": "alice", "action": "data.query", "outcome": "success", "session": "7"}),
    Sample("sudo", {"sudo": {"accept": {"uuid": "x", "submituser": "alice", "command": "/bin/id", "runuser": "root",
                                        "submithost": "web1", "submitcwd": "/"}}},
           {"actor": "alice", "actor_as": "root", "action": "command.exec", "outcome": "success",
            "target": "command:/bin/id", "session": "x"}),
    Sample("sudo", {"reject": {"uuid": "x", "reason": "command not allowed", "submituser": "alice",
                               "command": "/bin/sh", "runuser": "root"}},
           {"actor": "alice", "actor_as": "root", "action": "command.exec", "outcome": "failure",
            "reason": "command not allowed", "target": "command:/bin/sh", "session": "x"}),
]  # fmt: skip
AUDITBEAT = {
    "@timestamp": T, "service": {"type": "auditd"}, "event": {"module": "auditd", "kind": "event",
                                                              "category": ["process"], "outcome": "success"},
    "user": {"id": "0", "name": "root", "audit": {"id": "1000", "name": "alice"}},
}  # fmt: skip
ZITADEL = {
    "editor": {"userId": "1", "displayName": "Adm", "service": "x"}, "sequence": "33", "creationDate": T,
    "aggregate": {"id": "2", "type": {"type": "user"}, "resourceOwner": "o"}, "payload": {"userName": "bob"},
}  # fmt: skip
ORY = {
    "audience": "audit", "level": "info", "service_name": "kratos", "time": T,
    "http_request": {"method": "POST", "path": "/self-service/login", "remote": f"{IP}:5050"},
}  # fmt: skip
DOCUMENT = {"@timestamp": T, "agent": {"type": "filebeat"}, "event": {"module": "kubernetes", "kind": "event"}}
SELF_HOSTED += [
    Sample("kubernetes_document", {**DOCUMENT, "kubernetes": {"audit": {
        "auditID": "a1", "stage": "ResponseComplete", "verb": "delete", "user": {"username": ALICE},
        "sourceIPs": [IP, "192.0.2.9"], "objectRef": {"resource": "secrets", "name": "db"},
        "responseStatus": {"code": 403, "reason": "Forbidden"}}}},
           {"actor": ALICE, "action": "secret.delete", "outcome": "failure", "reason": "Forbidden",
            "target": "secrets:db", "source_ip": IP, "session": "a1"}),
    Sample("auditbeat", {**AUDITBEAT, "event": {**AUDITBEAT["event"], "action": "executed"}, "auditd": {
        "message_type": "syscall", "session": "3", "summary": {
            "actor": {"primary": "alice", "secondary": "root"}, "object": {"primary": "/usr/bin/id", "type": "file"},
            "how": "/usr/bin/id"}}, "file": {"path": "/usr/bin/id"}},
           {"actor": "alice", "action": "process.start", "outcome": "success", "target": "file:/usr/bin/id",
            "session": "3"}),
    Sample("auditbeat", {**AUDITBEAT, "event": {**AUDITBEAT["event"], "action": "deleted-user-account"}, "auditd": {
        "message_type": "del_user", "summary": {"actor": {"primary": "alice", "secondary": "root"},
                                                "object": {"primary": "bob", "type": "account"},
                                                "how": "/usr/sbin/userdel"}}},
           {"actor": "alice", "action": "account.delete", "outcome": "success", "target": "account:bob"}),
    Sample("auditbeat", {**AUDITBEAT, "user": {"name": "bob"}, "event": {"module": "auditd", "action": "logged-in",
                                                                         "outcome": "failure"}, "auditd": {
        "message_type": "user_login", "summary": {"actor": {"primary": "unset", "secondary": "bob"}, "object": {
            "primary": "ssh", "secondary": IP, "type": "user-session"}, "how": "/usr/sbin/sshd"}}},
           login("bob", "failure")),
    Sample("auditbeat", {**AUDITBEAT, "event": {"module": "auditd", "action": "authenticated", "outcome": "failure"},
                         "user": {"name": "root", "effective": {"name": "root"}}, "auditd": {
        "message_type": "user_auth", "summary": {"actor": {"primary": "alice", "secondary": "root"},
                                                 "object": {"primary": "pts/0"}, "how": "/usr/bin/su"}}},
           {"actor": "alice", "actor_as": "root", "action": "auth.login", "outcome": "failure"}),
    Sample("rack_attack", {"severity": "ERROR", "time": T, "correlation_id": "c", "message": "Rack_Attack",
                           "env": "throttle", "remote_ip": IP, "request_method": "POST", "path": "/users/sign_in",
                           "matched": "throttle_unauthenticated_web"},
           {"action": "http.request", "outcome": "failure", "reason": "throttle_unauthenticated_web",
            "target": "/users/sign_in", "source_ip": IP}),
    Sample("harbor", {"id": 3, "op_time": T, "operation": "create", "operator": "alice", "resource": "x/nginx:1",
                      "resource_type": "artifact"},
           {"actor": "alice", "action": "api.create", "target": "artifact:x/nginx:1", "session": "3"}),
    Sample("harbor", {"id": 4, "op_time": T, "operation": "create", "username": "admin", "resource": "bob",
                      "resource_type": "user", "operation_result": True, "operation_description": "create user: bob"},
           {"actor": "admin", "action": "account.create", "outcome": "success", "target": "user:bob", "session": "4"}),
    Sample("ory", {**ORY, "msg": "Identity authenticated successfully and was issued an Ory Kratos Session Token.",
                   "identity_id": "0b1", "session_id": "s1"}, login("0b1", "success", session="s1", source_port=5050)),
    Sample("ory", {**ORY, "msg": "Encountered self-service login error.",
                   "error": {"message": "the provided credentials are invalid"}},
           {"action": "auth.login", "outcome": "failure", "reason": "the provided credentials are invalid",
            "source_ip": IP, "source_port": 5050}),
    Sample("zitadel", {**ZITADEL, "type": {"type": "user.human.added"}},
           {"actor": "Adm", "action": "account.create", "outcome": "success", "target": "account:bob",
            "session": "33"}),
    Sample("zitadel", {**ZITADEL, "payload": {}, "type": "user.human.password.check.failed"},
           {"actor": "2", "action": "auth.login", "outcome": "failure", "session": "33"}),
    Sample("ping_federate", {"timestamp": T, "event": "AUTHN_ATTEMPT", "subject": "alice", "ip": IP, "app": "",
                             "connectionid": "sp", "protocol": "SAML20", "host": "pf1", "role": "IdP",
                             "status": "failure", "adapterid": "a", "description": "", "trackingid": "tid:x"},
           login("alice", "failure", session="tid:x")),
    Sample("fusion_auth", {"event": {"createInstant": 1795341600000, "id": "e", "type": "user.login.failed",
                                     "tenantId": "t", "info": {"ipAddress": IP}, "user": {"id": "u", "email": ALICE}}},
           login(ALICE, "failure", session="e")),
    Sample("fusion_auth", {"createInstant": 1795341600000, "id": "e", "type": "user.create.complete", "tenantId": "t",
                           "info": {"ipAddress": IP}, "user": {"id": "u", "email": "bob@example.com"}},
           {"action": "account.create", "outcome": "success", "target": "account:bob@example.com", "source_ip": IP,
            "session": "e"}),
]  # fmt: skip
SERVICES += [
    Sample("duo", {"action": "admin_login_error", "description": json.dumps({"ip_address": IP, "email": ALICE}),
                   "isotimestamp": T, "object": None, "timestamp": 1795341600, "username": ""},
           login(ALICE, "failure")),
    Sample("azure", {"time": T, "operationName": "MICROSOFT.AUTHORIZATION/ROLEASSIGNMENTS/WRITE",
                     "resultType": "Success", "category": "Administrative", "callerIpAddress": IP,
                     "identity": {"claims": {"upn": ALICE}}},
           {"actor": ALICE, "action": "role.assign", "outcome": "success", "source_ip": IP}),
    Sample("azure", {"time": T, "operationName": "Microsoft.Storage/storageAccounts/listKeys/action",
                     "resultType": "Success", "category": "Administrative", "callerIpAddress": IP, "caller": ALICE},
           {"actor": ALICE, "action": "api.read", "outcome": "success", "source_ip": IP}),
    Sample("cloudflare", {"action": {"type": "add", "result": True}, "actor": {"email": ALICE, "ip": IP}, "when": T,
                          "resource": {"type": "member", "id": "3"}, "owner": {"id": "2"}, "interface": "UI"},
           {"actor": ALICE, "action": "group.member_add", "outcome": "success", "target": "member:3", "source_ip": IP}),
]  # fmt: skip
USUAL += [
    Sample("windows", {"@timestamp": T, "event": {"code": "4769", "action": "kerberos-service-ticket-requested",
                                                  "outcome": "success"}, "user": {"name": "alice"}, "winlog": {
        "channel": "Security", "event_id": "4769", "event_data": {"TargetUserName": "alice@EXAMPLE.ORG",
                                                                  "IpAddress": f"::ffff:{IP}", "Status": "0x0"}}},
           login("alice", "success")),
    Sample("generic", {"msg": "authentication failed", "uid": "alice", "src": IP}, login("alice", "failure")),
    Sample("generic", {"msg": "authentication failed", "uid": "0b1f00aa11223344", "src": IP},
           {"action": "auth.login", "outcome": "failure", "source_ip": IP}),
    Sample("generic", {"logger": "x", "message": "Authentication success for alice", "user": "alice", "ip": IP},
           login("alice", "success")),
    Sample("generic", {"message": "User 'alice' logged in.", "user": "alice", "ip": IP}, login("alice", "success")),
    Sample("generic", {"message": "Login failed for malice", "user": "alice", "ip": IP},
           {"actor": "alice", "source_ip": IP}),
    Sample("generic", {"message": "bob logged in for alice", "user": "alice", "ip": IP},
           {"actor": "alice", "source_ip": IP}),
    Sample("generic", {"uname": "alice", "remote_addr": IP, "msg": "x", "path": "/a", "method": "GET", "status": 200},
           {"actor": "alice", "action": "http.request", "outcome": "success", "target": "/a", "source_ip": IP}),
]  # fmt: skip
SERVICES += [
    Sample("oracle", {"DBUSERNAME": "ALICE", "EVENT_TIMESTAMP": T, "ACTION_NAME": "LOGON", "RETURN_CODE": 1017,
                      "USERHOST": "pc7", "OS_USERNAME": "a", "UNIFIED_AUDIT_POLICIES": "ORA_LOGON_FAILURES",
                      "AUTHENTICATION_TYPE": "(TYPE=(DATABASE));(CLIENT ADDRESS=((PROTOCOL=tcp)(HOST=203.0.113.7)"
                                             "(PORT=51234)));", "SESSIONID": 3},
           login("ALICE", "failure", session="3")),
    Sample("cockroach", {"channel": "SESSIONS", "channel_numeric": 4, "timestamp": "1795341600.1", "event": {
        "Timestamp": 1795341600123000000, "EventType": "client_authentication_failed", "InstanceID": 1,
        "Network": "tcp", "RemoteAddress": f"{IP}:51234", "SessionID": "s", "User": "alice", "Detail": "no such user"}},
           login("alice", "failure", reason="no such user", session="s", source_port=51234)),
    Sample("cockroach", {"Timestamp": 1795341600123000000, "EventType": "create_role", "Statement": "CREATE ROLE bob",
                         "Tag": "CREATE ROLE", "User": "adm", "RoleName": "bob"},
           {"actor": "adm", "action": "account.create", "target": "account:bob"}),
    Sample("mimecast", {"auditType": "Logon Authentication Failed", "user": ALICE, "eventTime": T, "id": "x",
                        "category": "authentication_logs", "eventInfo": f"Failed authentication for {ALICE}, "
                        f"Date: 2026-11-22, Time: 10:00:00, IP: {IP}, Application: x"},
           login(ALICE, "failure", session="x")),
    Sample("mimecast", {"auditType": "User Logged On", "user": "x", "eventTime": T, "id": "x",
                        "eventInfo": f"Successful authentication for x, IP: 192.0.2.1, IP: {IP}, Application: x"},
           {"actor": "x", "action": "auth.login", "outcome": "success", "session": "x"}),
    Sample("mattermost", {"event_name": "login", "status": "fail", "timestamp": T, "event": {"parameters": {
        "login_id": "alice"}}, "actor": {"user_id": "", "ip_address": IP}, "meta": {}, "error": {}},
           login("alice", "failure")),
    Sample("okta", {"eventId": "1", "eventTime": T, "eventType": "com.okta.event_hook", "contentType": "x", "data": {
        "events": [OKTA]}}, next(sample.expected for sample in SERVICES if sample.fields == OKTA)),
]  # fmt: skip
ECS = {"@timestamp": T, "source": {"ip": IP}, "user": {"name": "alice"}}
USUAL += [
    Sample("generic", {**ECS, "event": {"dataset": "okta.system", "action": "user.mfa.factor.deactivate",
                                        "category": ["iam"], "type": ["user", "change"], "outcome": "success"}},
           {"actor": "alice", "action": "account.mfa_disable", "outcome": "success", "source_ip": IP}),
    Sample("generic", {**ECS, "data_stream": {"dataset": "azure.auditlogs"}, "event": {
        "action": "Add member to role", "category": ["iam"], "outcome": "success"}, "user": {}, "azure": {"auditlogs": {
        "properties": {"initiated_by": {"user": {"userPrincipalName": "alice"}}}}}},
           {"actor": "alice", "action": "role.assign", "outcome": "success", "source_ip": IP}),
    Sample("generic", {**ECS, "event": {"module": "gcp", "action": "google.iam.admin.v1.DeleteServiceAccountKey",
                                        "outcome": "failure"}},
           {"actor": "alice", "action": "api.delete", "outcome": "failure", "source_ip": IP}),
    Sample("generic", {**ECS, "event": {"dataset": "x.y", "action": "mfa_failed", "category": ["authentication"],
                                        "type": ["info"], "outcome": "failure"}}, login("alice", "failure")),
    Sample("generic", {**ECS, "event": {"dataset": "x.y", "action": "x", "category": ["authentication"],
                                        "type": ["change"], "outcome": "success"}},
           {"actor": "alice", "outcome": "success", "source_ip": IP}),
]  # fmt: skip
SERVICES += [
    Sample("oci", {"eventType": "com.oraclecloud.identitycontrolplane.createuser", "cloudEventsVersion": "0.1",
                   "eventID": "e", "source": "x", "eventTime": T, "data": {
        "eventName": "CreateUser", "resourceName": "bob", "identity": {"principalName": "adm", "ipAddress": IP},
        "response": {"status": "200"}}},
           {"actor": "adm", "action": "account.create", "outcome": "success", "target": "account:bob",
            "source_ip": IP, "session": "e"}),
    Sample("work_os", {"id": "e", "object": "event", "event": "authentication.password_failed", "created_at": T,
                       "data": {"type": "password", "status": "failed", "email": ALICE, "ip_address": IP,
                                "error": {"code": "c", "message": "m"}}},
           login(ALICE, "failure", reason="m", session="e")),
    Sample("twingate", {"event_type": "closed_connection", "event": {
        "version": 3, "connection": {"id": "c", "client_ip": IP, "resource_ip": "192.0.2.9"},
        "user": {"id": "7", "email": ALICE}, "time": T}},
           {"actor": ALICE, "action": "net.close", "outcome": "success", "target": "address:192.0.2.9",
            "source_ip": IP, "session": "c"}),
    Sample("forgerock", {"eventName": "AM-LOGIN-COMPLETED", "result": "FAILED", "principal": ["alice"],
                         "transactionId": "t", "timestamp": T, "entries": [{"info": {"ipAddress": IP}}]},
           login("alice", "failure", session="t")),
    Sample("cadf", {"action": "iam-identity.user.login", "eventTime": T, "outcome": "success", "target": {"name": "x"},
                    "initiator": {"name": ALICE, "host": {"address": IP}}, "observer": {"name": "x"}},
           login(ALICE, "success", target="x")),
    Sample("salesforce", {"Id": "1", "UserId": "5", "LoginType": "Application", "SourceIp": IP, "Username": ALICE,
                          "Status": "Invalid Password"}, {"actor": ALICE, "action": "auth.login",
                                                          "outcome": "failure", "source_ip": IP}),
]  # fmt: skip
USUAL += [
    Sample("generic", {"event_type": "login", "event_status": "x", "user_name": "alice", "remote_address": IP,
                       "timestamp": T, "session_id": "s", "result": "failed"}, login("alice", "failure", session="s")),
    Sample("generic", {"@timestamp": T, "event": {"dataset": "system.user", "action": "user_added",
                                                  "category": ["iam"], "type": ["user", "creation"]},
                       "user": {"name": "bob"}}, {"action": "account.create", "target": "account:bob"}),
    Sample("generic", {"activity": "User blocked", "activity_code": "user.block", "initiator_name": "Adm"},
           {"actor": "Adm", "action": "account.disable"}),
]  # fmt: skip
USUAL += [
    Sample("generic", {"message": "User created: alice", "user": "alice", "ip": IP},
           {"actor": "alice", "source_ip": IP}),
    Sample("generic", {**ECS, "event": {"dataset": "x.y", "action": "vpn_disconnected", "outcome": "success",
                                        "category": ["authentication"], "type": ["info"]}},
           {"actor": "alice", "outcome": "success", "source_ip": IP}),
]  # fmt: skip
SUPABASE = {"instance_id": "0", "id": "i", "created_at": T, "ip_address": IP}
SERVICES += [
    Sample("go_true", {**SUPABASE, "payload": {"action": "login", "actor_id": "7", "actor_username": "bob"}},
           login("bob", "success")),
    Sample("go_true", {**SUPABASE, "payload": '{"action":"token_refreshed","actor_username":"bob"}'},
           {"actor": "bob", "outcome": "success", "source_ip": IP}),
]  # fmt: skip
NANOS = "1795341600000000000"
SHIPPED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    # lines and records in objects, that rules read
    ({"streams": [{"stream": {"app": "sshd", "host": "web1"}, "values": [[NANOS, FAILED]]}]},
     login("bob", "failure", source_port=51234, reason="bad password")),
    ({"streams": [{"stream": {"job": "x"}, "values": [[NANOS, f"Nov 22 10:00:00 web1 sshd[7]: {FAILED}"]]}]},
     login("bob", "failure", source_port=51234, reason="bad password")),
    ({"labels": {"app": "sshd"}, "line": FAILED, "timestamp": T},
     login("bob", "failure", source_port=51234, reason="bad password")),
    ({"streams": [{"stream": {"job": "x"}, "values": [[NANOS, '{"user":"bob","action":"login","ok":false}']]}]},
     {"actor": "bob", "action": "auth.login", "outcome": "failure"}),
    ({"streams": [{"stream": {"app": "sshd"}, "values": [["1", FAILED], ["2", FAILED]]}]}, {}),
    ({"time": 1795341600, "host": "web1", "sourcetype": "linux_secure",
      "event": f"Nov 22 10:00:00 web1 sshd[7]: {FAILED}"},
     login("bob", "failure", source_port=51234, reason="bad password")),
    ({"time": 1795341600, "host": "web1", "sourcetype": "x", "event": {"user": "bob", "action": "login", "ok": False}},
     {"actor": "bob", "action": "auth.login", "outcome": "failure"}),
    ({"textPayload": f"Nov 22 10:00:00 web1 sshd[7]: {FAILED}", "logName": "projects/x/logs/syslog", "insertId": "i"},
     login("bob", "failure", source_port=51234, reason="bad password")),
    ({"name": "q", "hostIdentifier": "h", "columns": {"facility": "authpriv", "tag": "sshd[7]", "message": FAILED},
      "action": "added"}, login("bob", "failure", source_port=51234, reason="bad password")),
    ({"ID": "1795341600.123:33", "NODE": "web1", "USER_LOGIN": {
        "pid": 7, "uid": 0, "op": "login", "acct": "bob", "exe": "/usr/sbin/sshd", "hostname": IP, "addr": IP,
        "terminal": "ssh", "res": "failed"}}, login("bob", "failure")),
    ({"ID": "1795341600.123:33", "USER_LOGIN": {
        "op": "login", "acct": 'x" acct="root', "exe": "/usr/sbin/sshd", "addr": IP, "terminal": "ssh",
        "res": "failed"}},
     login('x" acct="root', "failure")),
    ({"sequence": 33, "timestamp": "1795341600.123", "messages": [{"type": 1112, "data":
        f"pid=7 uid=0 msg='op=login acct=\"bob\" exe=\"/usr/sbin/sshd\" addr={IP} terminal=ssh res=failed'"}]},
     login("bob", "failure")),
    ({"timestamp": T, "loggerClassName": "org.jboss.logging.Logger", "loggerName": "org.keycloak.events",
      "level": "WARN", "message": f"type=LOGIN_ERROR, realmId=r, clientId=c, userId=null, ipAddress={IP}, "
      "error=user_not_found, username=bob"},
     login("bob", "failure", reason="user_not_found")),
    ({"ts": T, "level": "INFO", "logger": "auth.event", "message":
        f"login success [method|FORM][provider|LOCAL|local][IP|{IP}|][login|alice]"}, login("alice", "success")),
    ({"event": {"dataset": "postgresql.log", "category": ["database"]}, "user": {"name": "bob"},
      "message": 'password authentication failed for user "bob"'},
     {"actor": "bob", "action": "auth.login", "outcome": "failure"}),
    ({"@timestamp": T, "@log_stream": "x", "@message": json.dumps(K8S)},
     {"actor": "alice", "action": "secret.read", "outcome": "success", "target": "secrets:db", "source_ip": IP,
      "session": "a1"}),
]  # fmt: skip
SAMPLES = [*SELF_HOSTED, *SERVICES, *USUAL, *OTHERS]
