"""What the audit logs of products that a team runs itself call a deed → the vocabulary of `action`. Tables only.

Knows words of products; no names of fields (`audit.py`) and nothing of how a table is read (`readers.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from receiver.event import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

_SUCCESS: Final = str(Outcome.SUCCESS)
_FAILURE: Final = str(Outcome.FAILURE)

Deeds = dict[str, tuple[str, str | None]]
"""By the product's word, in lower case: the action, and the outcome when the word says that too."""


def deeds(outcome: str | None, actions: Mapping[str, str]) -> Deeds:
    """Build a table: by the action, the product's words for it, separated by blanks."""
    return {word.lower(): (action, outcome) for action, words in actions.items() for word in words.split()}


KEYCLOAK: Final = {
    **deeds(
        _SUCCESS,
        {
            "auth.login": "LOGIN CODE_TO_TOKEN CLIENT_LOGIN IDENTITY_PROVIDER_LOGIN",
            "auth.logout": "LOGOUT",
            "account.create": "REGISTER",
            "account.password_change": "UPDATE_PASSWORD",
            "account.password_reset": "RESET_PASSWORD SEND_RESET_PASSWORD",
            "account.lock": "USER_DISABLED_BY_PERMANENT_LOCKOUT USER_DISABLED_BY_TEMPORARY_LOCKOUT",
            "account.update": "UPDATE_PROFILE UPDATE_EMAIL VERIFY_EMAIL",
            "account.mfa_enable": "UPDATE_TOTP",
            "account.mfa_disable": "REMOVE_TOTP",
            "account.delete": "DELETE_ACCOUNT",
            "auth.switch": "IMPERSONATE",
        },
    ),
    **deeds(
        _FAILURE,
        {
            "auth.login": "LOGIN_ERROR CODE_TO_TOKEN_ERROR CLIENT_LOGIN_ERROR IDENTITY_PROVIDER_LOGIN_ERROR",
            "auth.logout": "LOGOUT_ERROR",
            "account.create": "REGISTER_ERROR",
            "account.password_change": "UPDATE_PASSWORD_ERROR",
            "account.password_reset": "RESET_PASSWORD_ERROR",
            "account.update": "UPDATE_PROFILE_ERROR",
        },
    ),
}
MONGODB: Final = deeds(
    None,
    {
        "auth.login": "authenticate",
        "auth.logout": "logout",
        "account.create": "createUser",
        "account.delete": "dropUser",
        "account.update": "updateUser",
        "privilege.grant": "grantPrivilegesToRole",
        "privilege.revoke": "revokePrivilegesFromRole",
        "role.assign": "grantRolesToUser",
        "role.remove": "revokeRolesFromUser",
        "service.stop": "shutdown",
        "service.start": "startup",
        "api.create": "createCollection createIndex createDatabase createRole",
        "api.update": "renameCollection updateRole",
        "api.delete": "dropCollection dropIndex dropDatabase dropRole",
        "config.change": "replSetReconfig enableSharding shardCollection addShard removeShard setParameter",
    },
)
MONGODB_COMMANDS: Final = deeds(
    None,
    {
        "data.query": "find aggregate count distinct getMore listCollections listIndexes",
        "data.write": "insert update delete findAndModify bulkWrite",
    },
)
"""Commands that were checked (authCheck)."""
ARGOCD: Final[Deeds] = {
    "session.sessionservice create": ("auth.login", None),
    "session.sessionservice delete": ("auth.logout", None),
}
GITHUB: Final = {
    **deeds(
        None,
        {
            "auth.login": "user.login org.sso_response business.sso_response",
            "auth.logout": "user.logout",
            "account.create": "user.create user.register business.add_user",
            "account.delete": "user.delete user.destroy business.remove_user",
            "account.disable": "user.suspend",
            "account.enable": "user.unsuspend",
            "account.update": "user.rename user.add_email user.remove_email user.update profile_picture.update",
            "account.password_change": "user.change_password",
            "account.password_reset": "user.forgot_password",
            "group.create": "team.create",
            "group.delete": "team.destroy",
            "group.member_add": "org.add_member team.add_member business.add_member org.accept_invitation",
            "group.member_remove": "org.remove_member team.remove_member business.remove_member",
            "privilege.grant": "repo.add_member repo.add_team team.add_repository business.add_admin"
            " org.add_outside_collaborator user.promote integration_installation.create"
            " org_credential_authorization.grant oauth_authorization.create",
            "privilege.revoke": "repo.remove_member repo.remove_team team.remove_repository business.remove_admin"
            " org.remove_outside_collaborator user.demote integration_installation.destroy"
            " org_credential_authorization.revoke oauth_authorization.destroy",
            "account.mfa_enable": "two_factor_authentication.enabled",
            "account.mfa_disable": "two_factor_authentication.disabled",
            "api.create": "repo.create public_key.create deploy_key.create hook.create protected_branch.create"
            " workflows.created_workflow_run personal_access_token.request_created",
            "api.read": "git.clone git.fetch repo.download_zip",
            "api.update": "git.push repo.update repo.rename repo.transfer repo.archived",
            "api.delete": "repo.destroy public_key.delete deploy_key.delete hook.destroy protected_branch.destroy",
            "config.change": "repo.access org.update_member org.disable_two_factor_requirement"
            " org.enable_two_factor_requirement org.update_default_repository_permission"
            " business.disable_two_factor_requirement business.enable_two_factor_requirement"
            " protected_branch.update hook.config_changed org.enable_saml org.disable_saml",
            "secret.write": "org.create_actions_secret repo.create_actions_secret org.update_actions_secret"
            " repo.update_actions_secret environment.create_actions_secret environment.update_actions_secret",
            "secret.delete": "org.remove_actions_secret repo.remove_actions_secret environment.remove_actions_secret",
            "log.export": "org.audit_log_export business.audit_log_export",
        },
    ),
    **deeds(
        _FAILURE,
        {
            "auth.login": "user.failed_login user.two_factor_failed",
        },
    ),
}
GITHUB_OPERATIONS: Final = deeds(
    None, {"api.create": "create", "api.update": "modify transfer", "api.delete": "remove", "api.read": "access"}
)
GITEA: Final = deeds(
    None,
    {
        "auth.login": "user:login user:authentication",
        "account.mfa_enable": "user:twofactor:enable user:twofactor:register",
        "account.mfa_disable": "user:twofactor:disable user:twofactor:remove",
        "account.password_change": "user:password user:update:password",
        "account.password_reset": "user:password:reset user:passwordreset",
        "account.update": "user:name user:email:add user:email:remove user:email:primary user:visibility",
        "privilege.grant": "user:admin:add repository:collaborator:add",
        "privilege.revoke": "user:admin:remove repository:collaborator:remove",
        "group.member_add": "organization:team:member:add team:member:add",
        "group.member_remove": "organization:team:member:remove team:member:remove",
        "group.create": "organization:team:create",
        "group.delete": "organization:team:delete",
        "api.create": "repository:create organization:create user:key:ssh:add user:accesstoken:add",
        "api.delete": "repository:delete organization:delete user:key:ssh:remove user:accesstoken:remove",
    },
)
GITLAB: Final = {
    **deeds(
        None,
        {
            "auth.login": "authenticated_with_password user_logged_in authenticated_with_webauthn",
            "account.create": "user_created",
            "account.delete": "user_destroyed delete_user user_deleted",
            "account.disable": "user_blocked user_deactivate user_banned block_user",
            "account.enable": "user_unblocked user_activate user_unbanned user_approved",
            "account.password_change": "user_password_updated password_changed",
            "account.password_reset": "password_reset_requested password_reset_email_requested",
            "account.mfa_enable": "user_enable_two_factor two_factor_enabled user_enabled_two_factor",
            "account.mfa_disable": "user_disable_two_factor two_factor_disabled user_disabled_two_factor",
            "account.update": "user_email_updated email_updated username_updated user_username_updated",
            "auth.switch": "user_impersonation",
            "group.create": "group_created",
            "group.delete": "group_destroyed group_deletion_marked",
            "group.member_add": "member_created group_member_created project_member_created",
            "group.member_remove": "member_destroyed group_member_destroyed project_member_destroyed",
            "role.assign": "member_updated",
            "api.create": "project_created personal_access_token_created deploy_key_added key_added add_ssh_key",
            "api.delete": "project_destroyed personal_access_token_revoked deploy_key_removed key_removed",
            "secret.write": "ci_variable_created ci_variable_updated",
            "secret.delete": "ci_variable_deleted",
        },
    ),
    **deeds(_FAILURE, {"auth.login": "login_failed_with_standard_authentication login_failed user_login_failed"}),
}
GITLAB_ADD: Final = deeds(
    _SUCCESS,
    {
        "group.member_add": "user_access",
        "account.create": "user",
        "group.create": "group",
        "api.create": "project key deploy_key gpg_key ssh_key",
    },
)
GITLAB_REMOVE: Final = deeds(
    _SUCCESS,
    {
        "group.member_remove": "user_access",
        "account.delete": "user",
        "group.delete": "group",
        "api.delete": "project key deploy_key gpg_key ssh_key",
    },
)
GITLAB_CHANGE: Final = deeds(
    _SUCCESS,
    {
        "role.assign": "access_level",
        "account.password_change": "password",
        "account.update": "email username",
        "config.change": "visibility visibility_level packages_enabled merge_requests_author_approval"
        " allow_merge_on_skipped_pipeline require_two_factor_authentication",
    },
)
"""With no more than `change` they say what became of the entity; who they name is the author."""
TELEPORT: Final = {
    **deeds(
        None,
        {
            "auth.login": "user.login auth bot.join windows.desktop.session.start",
            "auth.logout": "windows.desktop.session.end",
            "command.exec": "exec session.command",
            "account.create": "user.create",
            "account.update": "user.update",
            "account.delete": "user.delete",
            "account.password_change": "user.password_change",
            "account.password_reset": "reset_password_token.create",
            "account.mfa_enable": "mfa.add",
            "account.mfa_disable": "mfa.delete",
            "account.lock": "lock.created",
            "account.unlock": "lock.deleted",
            "api.create": "role.created cert.create token.create bot.create join_token.create github.created"
            " saml.created oidc.created trusted_cluster.create access_request.create",
            "api.update": "role.updated access_request.update",
            "api.delete": "role.deleted bot.delete github.deleted saml.deleted oidc.deleted trusted_cluster.delete"
            " access_request.delete",
            "privilege.grant": "access_request.review",
            "data.query": "db.session.query db.session.postgres.statements.execute",
            "net.connect": "port",
            "http.request": "app.session.request",
            "file.read": "sftp.open",
        },
    ),
    **deeds(
        _SUCCESS,
        {
            "session.open": "session.start db.session.start app.session.start session.join",
            "session.close": "session.end db.session.end app.session.end session.leave",
        },
    ),
    **deeds(_FAILURE, {"auth.login": "auth.failure user.login.failed", "session.open": "session.rejected"}),
}
WINDOWS: Final = {
    **deeds(
        _SUCCESS,
        {
            "auth.login": "4624",
            "auth.switch": "4648",
            "auth.logout": "4634 4647",
            "session.open": "4778",
            "session.close": "4779",
            "account.create": "4720 4741",
            "account.enable": "4722",
            "account.password_change": "4723",
            "account.password_reset": "4724",
            "account.disable": "4725",
            "account.delete": "4726 4743",
            "account.update": "4738 4781 4742",
            "account.lock": "4740",
            "account.unlock": "4767",
            "group.create": "4727 4731 4754 4744 4749 4759",
            "group.delete": "4730 4734 4758 4748 4753 4763",
            "group.member_add": "4728 4732 4756",
            "group.member_remove": "4729 4733 4757",
            "privilege.grant": "4672 4704 4717",
            "log.clear": "1102 104",
            "log.stop": "1100",
            "process.start": "4688",
            "process.stop": "4689",
            "schedule.create": "4698",
            "schedule.delete": "4699",
            "schedule.update": "4702",
            "system.time_change": "4616",
            "system.boot": "4608",
            "system.shutdown": "4609",
            "config.change": "4657 4713 4719 4739 4907 4946 4947 4948 4950",
            "net.connect": "5156",
            "file.set_perm": "4670",
            "privilege.revoke": "4705 4718",
        },
    ),
    **deeds(
        None,  # these tell how it ended elsewhere: a status, a keyword
        {
            "auth.login": "4768 4769 4770 4776",
            "file.delete": "4660",
        },
    ),
    **deeds(
        _FAILURE,
        {
            "auth.login": "4625 4771 4777",
            "net.refuse": "5152 5157",
        },
    ),
}
WINDOWS_CHANNELS: Final[dict[str, Deeds]] = {
    "sysmon": {
        **deeds(
            None,
            {
                "process.start": "1",
                "net.connect": "3",
                "process.stop": "5",
                "file.create": "11 15",
                "config.change": "12 13 14 16",
                "file.delete": "23 26",
                "file.set_attr": "2",
                "service.start": "4",
            },
        ),
    },
    "localsessionmanager": deeds(_SUCCESS, {"session.open": "21 25", "session.close": "23 24"}),
    "remoteconnectionmanager": deeds(_SUCCESS, {"auth.login": "1149"}),
    "taskscheduler": deeds(_SUCCESS, {"schedule.create": "106", "schedule.update": "140", "schedule.delete": "141"}),
    "powershell": deeds(None, {"command.exec": "4103 4104 800"}),
    "user32": deeds(_SUCCESS, {"system.shutdown": "1074"}),
    "eventlog": deeds(
        _SUCCESS, {"log.clear": "1102 104", "log.stop": "1100", "system.boot": "6005", "system.shutdown": "6006"}
    ),
}
"""Events of other channels than Security, by a word of the channel's or the provider's name."""
SAMBA: Final = {
    **deeds(_SUCCESS, {"auth.login": "NT_STATUS_OK"}),
    **deeds(
        _FAILURE,
        {
            "auth.login": "NT_STATUS_WRONG_PASSWORD NT_STATUS_NO_SUCH_USER NT_STATUS_ACCOUNT_DISABLED"
            " NT_STATUS_ACCOUNT_LOCKED_OUT NT_STATUS_LOGON_FAILURE NT_STATUS_PASSWORD_EXPIRED"
            " NT_STATUS_ACCOUNT_EXPIRED NT_STATUS_ACCESS_DENIED NT_STATUS_ACCOUNT_RESTRICTION"
        },
    ),
}
KUBERNETES_STREAMS: Final = deeds(None, {"command.exec": "exec attach", "net.connect": "portforward"})
"""Subresources of a pod through which somebody comes into it."""
SAMBA_PASSWORD: Final = deeds(None, {"account.password_change": "change", "account.password_reset": "reset"})
SAMBA_GROUP: Final = deeds(None, {"group.member_add": "added", "group.member_remove": "removed"})
SAMBA_DSDB: Final = deeds(None, {"api.create": "add", "api.update": "modify rename", "api.delete": "delete"})
NEXTCLOUD: Final[Deeds] = {
    'Login successful: "': ("auth.login", _SUCCESS),
    "Login successful": ("auth.login", _SUCCESS),
    'Login failed: "': ("auth.login", _FAILURE),
    "Login failed": ("auth.login", _FAILURE),
    "Logout occurred": ("auth.logout", _SUCCESS),
    'Login attempt: "': ("auth.login", None),
    'User created: "': ("account.create", _SUCCESS),
    'User deleted: "': ("account.delete", _SUCCESS),
    'User enabled: "': ("account.enable", _SUCCESS),
    'User disabled: "': ("account.disable", _SUCCESS),
    'Password of user "': ("account.password_change", _SUCCESS),
    'Group created: "': ("group.create", _SUCCESS),
    'Group deleted: "': ("group.delete", _SUCCESS),
    "File accessed: ": ("file.read", _SUCCESS),
    "File created: ": ("file.create", _SUCCESS),
    "File written to: ": ("file.update", _SUCCESS),
    "File updated: ": ("file.update", _SUCCESS),
    "File deleted: ": ("file.delete", _SUCCESS),
    "File renamed: ": ("file.rename", _SUCCESS),
    "File copied: ": ("file.create", _SUCCESS),
    "Preview accessed: ": ("file.read", _SUCCESS),
    "The shared file with the token ": ("file.read", _SUCCESS),
    "The shared folder with the token ": ("file.read", _SUCCESS),
    "The permissions of the shared ": ("file.set_perm", _SUCCESS),
    "Email address changed for user ": ("account.update", _SUCCESS),
    "Failed two factor attempt by user ": ("auth.login", _FAILURE),
    "Successful two factor attempt by user ": ("auth.login", _SUCCESS),
    "Console command executed: ": ("command.exec", None),
    "App enabled: ": ("service.enable", _SUCCESS),
    'App "': ("config.change", _SUCCESS),
}
"""How its audit messages begin (admin_audit): what follows is others' words."""
NEXTCLOUD_FILES: Final[Deeds] = {
    "accessed": ("file.read", _SUCCESS), "created": ("file.create", _SUCCESS), "copied": ("file.create", _SUCCESS),
    "written to": ("file.update", _SUCCESS), "updated": ("file.update", _SUCCESS),
    "deleted": ("file.delete", _SUCCESS), "renamed": ("file.rename", _SUCCESS),
}  # fmt: skip
MYSQL: Final[Deeds] = {
    f"{kind} {event}": (action, None)
    for kind, event, action in (
        ("connection", "connect", "auth.login"), ("connection", "disconnect", "auth.logout"),
        ("connection", "change_user", "auth.switch"), ("table_access", "read", "data.query"),
        ("table_access", "insert", "data.write"), ("table_access", "update", "data.write"),
        ("table_access", "delete", "data.write"), ("audit", "startup", "log.start"), ("audit", "shutdown", "log.stop"),
    )
}  # fmt: skip
PERCONA: Final = deeds(
    None,
    {"auth.login": "Connect", "auth.logout": "Quit", "auth.switch": "Change_user", "log.start": "Audit",
     "log.stop": "NoAudit"},
)  # fmt: skip
MARIADB: Final[Deeds] = {
    **deeds(None, {"auth.login": "connect", "session.close": "disconnect", "data.query": "query read",
                   "data.write": "write create drop alter rename"}),
    "failed_connect": ("auth.login", _FAILURE),
}  # fmt: skip
PERCONA_COMMANDS: Final = deeds(
    None,
    {
        "data.query": "select show_tables show_databases",
        "data.write": "insert update delete replace truncate create_table drop_table alter_table",
        "account.create": "create_user",
        "account.delete": "drop_user",
        "account.update": "alter_user",
        "privilege.grant": "grant",
        "privilege.revoke": "revoke revoke_all",
    },
)
SQL_SERVER: Final[Deeds] = {
    "lgis": ("auth.login", _SUCCESS),
    "lgif": ("auth.login", _FAILURE),
    "dbaf": ("auth.login", _FAILURE),
    "lgo": ("auth.logout", _SUCCESS),
    "sl": ("data.query", None),
    "ex": ("data.query", None),
    **dict.fromkeys(("in", "up", "dl"), ("data.write", None)),
    **dict.fromkeys(("pwc", "pwcs"), ("account.password_change", None)),
    **dict.fromkeys(("pwr", "pwrs"), ("account.password_reset", None)),
    **dict.fromkeys(("g", "gwg"), ("privilege.grant", None)),
    **dict.fromkeys(("r", "rwc", "rwg"), ("privilege.revoke", None)),
    "aprl": ("role.assign", None),
    "dprl": ("role.remove", None),
    "aust": ("config.change", None),
}
"""Of its audit, by action_id."""
STATEMENTS: Final = {
    words: action
    for action, several in {
        "account.create": "create user, create login",
        "account.delete": "drop user, drop login",
        "account.update": "alter user, rename user, alter login",
        "account.password_change": "set password",
        "privilege.grant": "grant",
        "privilege.revoke": "revoke",
        "data.query": "select, show, describe, explain",
        "data.write": "insert, update, delete, replace, truncate, merge, load data, create table, drop table,"
        " alter table, rename table, create database, drop database, create index, drop index",
    }.items()
    for words in several.split(", ")
}
"""How SQL's statements begin."""
DOCKER_EVENTS: Final[Deeds] = {
    f"{kind} {event}": (action, _SUCCESS)
    for kind, event, action in (
        ("container", "create", "api.create"), ("container", "destroy", "api.delete"),
        ("container", "start", "process.start"), ("container", "die", "process.stop"),
        ("container", "exec_start", "command.exec"), ("image", "delete", "api.delete"),
        ("volume", "create", "api.create"), ("volume", "destroy", "api.delete"), ("network", "create", "api.create"),
        ("network", "destroy", "api.delete"), ("daemon", "reload", "config.change"),
    )
}  # fmt: skip
MINIO: Final = deeds(
    None,
    {
        "file.read": "GetObject SelectObjectContent",
        "file.create": "PutObject CompleteMultipartUpload CopyObject PostPolicyBucket",
        "file.delete": "DeleteObject DeleteMultipleObjects",
        "account.create": "AddUser AdminAddUser AddServiceAccount",
        "account.delete": "RemoveUser AdminRemoveUser DeleteServiceAccount",
    },
)
CADF: Final = {
    **deeds(
        None,
        {
            "auth.login": "authenticate identity.authenticate",
            "account.create": "created.user create/user",
            "account.delete": "deleted.user delete/user",
            "account.update": "updated.user update/user",
            "account.disable": "disabled.user disable/user",
            "account.password_change": "updated.password",
            "group.create": "created.group",
            "group.delete": "deleted.group",
            "role.assign": "created.role_assignment",
            "role.remove": "deleted.role_assignment",
            "api.create": "create",
            "api.read": "read read/list read/get",
            "api.update": "update update/set",
            "api.delete": "delete",
            "service.start": "start",
            "service.stop": "stop",
        },
    ),
    **{
        f"{event}.{noun}": (f"api.{verb}", None)
        for event, verb in (("created", "create"), ("updated", "update"), ("deleted", "delete"))
        for noun in ["project", "domain", "role", "trust", "region", "service", "endpoint", "policy", "credential"]
    },
}
TELEPORT_COPIES: Final = deeds(None, {"file.read": "download", "file.update": "upload"})
GITLAB_LOCKS: Final = deeds(_SUCCESS, {"account.lock": "user_access_locked", "account.unlock": "user_access_unlocked"})
AUTHENTIK_MODELS: Final[Deeds] = {
    "user created": ("account.create", _SUCCESS), "user updated": ("account.update", _SUCCESS),
    "user deleted": ("account.delete", _SUCCESS), "group created": ("group.create", _SUCCESS),
    "group deleted": ("group.delete", _SUCCESS),
}  # fmt: skip
OWNCLOUD: Final = deeds(
    _SUCCESS,
    {"account.create": "user_created", "account.delete": "user_deleted", "account.enable": "user_enabled",
     "account.disable": "user_disabled", "account.password_reset": "user_password_reset",
     "group.create": "group_created", "group.delete": "group_deleted"},
)  # fmt: skip
KEYCLOAK_PATHS: Final = deeds(
    None,
    {"account.password_reset": "reset-password reset-password-email", "auth.switch": "impersonation",
     "session.close": "logout", "account.mfa_disable": "disable-credential-types"},
)  # fmt: skip
KEYCLOAK_ADMIN: Final[dict[str, tuple[str, str | None]]] = {
    f"{kind} {verb}": (action, None)
    for kind, verb, action in (
        ("user", "create", "account.create"), ("user", "delete", "account.delete"),
        ("user", "update", "account.update"),
        ("group", "create", "group.create"), ("group", "delete", "group.delete"),
        ("group_membership", "create", "group.member_add"), ("group_membership", "delete", "group.member_remove"),
        ("realm_role_mapping", "create", "role.assign"), ("realm_role_mapping", "delete", "role.remove"),
        ("client_role_mapping", "create", "role.assign"), ("client_role_mapping", "delete", "role.remove"),
        ("realm", "update", "config.change"), ("user_session", "delete", "session.close"),
    )
}  # fmt: skip
AUTHENTIK: Final = {
    **deeds(_SUCCESS, {"auth.login": "login", "auth.logout": "logout", "account.password_change": "password_set",
                       "auth.switch": "impersonation_started", "secret.read": "secret_view"}),
    **deeds(_FAILURE, {"auth.login": "login_failed"}),
    **deeds(None, {"detect.alert": "suspicious_request", "privilege.grant": "authorize_application"}),
}  # fmt: skip
MATTERMOST: Final = deeds(
    None,
    {
        "auth.login": "login ssoLogin",
        "auth.logout": "Logout",
        "account.create": "createUser",
        "account.delete": "deleteUser permanentDeleteUser",
        "account.update": "updateUser patchUser",
        "account.password_change": "updatePassword",
        "account.password_reset": "resetPassword sendPasswordReset",
        "role.assign": "updateUserRoles",
        "group.member_add": "addTeamMember addChannelMember",
        "group.member_remove": "removeTeamMember removeChannelMember",
        "group.create": "createTeam",
        "group.delete": "deleteTeam",
        "api.create": "createChannel createPost createUserAccessToken",
        "api.delete": "deleteChannel deletePost revokeUserAccessToken",
        "config.change": "updateConfig patchConfig",
        "file.create": "uploadFile",
    },
)
GRAFANA: Final = deeds(
    None,
    {
        "auth.login": "login login-grafana login-ldap login-oauth login-auth_proxy login-saml login-azuread"
        " login-github login-gitlab login-google login-okta login-generic_oauth login-auth.client.form",
        "auth.logout": "logout",
        "api.create": "create",
        "api.read": "read",
        "api.update": "update patch",
        "api.delete": "delete",
        "account.disable": "disable",
        "account.enable": "enable",
        "account.password_change": "change-password",
        "session.close": "revoke-auth-token",
    },
)
GRAFANA_TEXTS: Final[Deeds] = {
    "successful login": ("auth.login", _SUCCESS),
    "successful logout": ("auth.logout", _SUCCESS),
    "invalid username or password": ("auth.login", _FAILURE),
    "failed to authenticate request": ("auth.login", _FAILURE),
    "failed to authenticate user": ("auth.login", _FAILURE),
}
MONGODB_LOG: Final[Deeds] = {
    "authentication succeeded": ("auth.login", _SUCCESS),
    "successfully authenticated": ("auth.login", _SUCCESS),
    "authentication failed": ("auth.login", _FAILURE),
    "failed to authenticate": ("auth.login", _FAILURE),
    "connection accepted": ("net.connect", _SUCCESS),
    "connection ended": ("net.close", _SUCCESS),
}
POSTGRESQL_STATES: Final = deeds(_FAILURE, {"auth.login": "28P01 28000"})
POSTGRESQL: Final[Deeds] = {
    "connection authorized: ": ("auth.login", _SUCCESS),
    "replication connection authorized: ": ("auth.login", _SUCCESS),
    "connection received: ": ("net.connect", _SUCCESS),
    "disconnection: ": ("session.close", _SUCCESS),
    **{
        f"statement: {spelled} ": (action, None)
        for command, action in (
            ("CREATE ROLE", "account.create"), ("CREATE USER", "account.create"), ("DROP ROLE", "account.delete"),
            ("DROP USER", "account.delete"), ("ALTER ROLE", "account.update"), ("ALTER USER", "account.update"),
            ("GRANT", "privilege.grant"), ("REVOKE", "privilege.revoke"),
        )
        for spelled in (command, command.lower())
    },
    "statement: ": ("data.query", None),
    "execute ": ("data.query", None),
}
"""How its messages begin; the first that fits counts."""
PGAUDIT: Final[Deeds] = {
    "READ": ("data.query", None), "WRITE": ("data.write", None), "DDL": ("data.write", None),
    "FUNCTION": ("data.query", None), "ROLE,CREATE ROLE": ("account.create", None),
    "ROLE,DROP ROLE": ("account.delete", None), "ROLE,ALTER ROLE": ("account.update", None),
    "ROLE,GRANT": ("privilege.grant", None), "ROLE,GRANT ROLE": ("privilege.grant", None),
    "ROLE,REVOKE": ("privilege.revoke", None), "ROLE,REVOKE ROLE": ("privilege.revoke", None),
    "DDL,ALTER SYSTEM": ("config.change", None),
}  # fmt: skip
"""pgaudit's class, or its class and command: it says what was asked for, before it is done."""
ELASTICSEARCH: Final = {
    **deeds(
        _SUCCESS,
        {
            "auth.login": "authentication_success",
            "auth.switch": "run_as_granted",
            "account.create": "put_user create_user",
            "account.delete": "delete_user",
            "account.password_change": "change_password",
            "account.enable": "change_enable_user",
            "account.disable": "change_disable_user",
            "net.connect": "connection_granted",
        },
    ),
    **deeds(
        _FAILURE,
        {
            "auth.login": "authentication_failed anonymous_access_denied realm_authentication_failed",
            "auth.switch": "run_as_denied",
            "net.refuse": "connection_denied",
        },
    ),
}
OPENSEARCH: Final = {
    **deeds(_SUCCESS, {"auth.login": "AUTHENTICATED"}),
    **deeds(_FAILURE, {"auth.login": "FAILED_LOGIN"}),
    **deeds(
        _SUCCESS,
        {
            "data.query": "COMPLIANCE_DOC_READ",
            "data.write": "COMPLIANCE_DOC_WRITE",
            "config.change": "COMPLIANCE_INTERNAL_CONFIG_WRITE COMPLIANCE_EXTERNAL_CONFIG",
        },
    ),
}
ELASTIC_PRIVILEGES: Final = {
    "indices:data/read/": "data.query", "indices:data/write/": "data.write", "indices:monitor/": "api.read",
    "cluster:monitor/": "api.read", "indices:admin/get": "api.read", "indices:admin/create": "api.create",
    "indices:admin/delete": "api.delete", "indices:admin/": "api.update",
    "cluster:admin/xpack/security/user/put": "account.update",
    "cluster:admin/xpack/security/user/delete": "account.delete",
    "cluster:admin/xpack/security/user/change_password": "account.password_change",
    "cluster:admin/xpack/security/user/set_enabled": "account.update", "cluster:admin/settings/update": "config.change",
}  # fmt: skip
"""How the names of what Elasticsearch and OpenSearch allow begin."""
SURICATA: Final = {**deeds(None, {"http.request": "http"}), **deeds(_FAILURE, {"net.refuse": "drop"})}
ZEEK: Final = deeds(None, {"auth.login": "kerberos ntlm radius", "detect.alert": "notice"})
ZEEK_FTP: Final = deeds(
    None,
    {"file.read": "retr", "file.create": "stor stou appe", "file.delete": "dele rmd", "file.rename": "rnto"},
)
RANCHER: Final[Deeds] = {
    "users post": ("account.create", None), "users put": ("account.update", None),
    "users delete": ("account.delete", None),
}  # fmt: skip
OSQUERY_USER_EVENTS: Final[dict[str, str]] = {
    "USER_AUTH": "auth.login", "USER_LOGIN": "auth.login", "USER_LOGOUT": "auth.logout", "USER_START": "session.open",
    "USER_END": "session.close", "ADD_USER": "account.create", "DEL_USER": "account.delete",
    "ADD_GROUP": "group.create", "DEL_GROUP": "group.delete", "USER_CHAUTHTOK": "account.password_change",
    "USER_CMD": "command.exec", "ACCT_LOCK": "account.lock", "ACCT_UNLOCK": "account.unlock",
}  # fmt: skip
OSQUERY_FILES: Final[dict[str, str]] = {
    "CREATED": "file.create", "UPDATED": "file.update", "DELETED": "file.delete", "MOVED_TO": "file.rename",
    "MOVED_FROM": "file.rename", "ATTRIBUTES_MODIFIED": "file.set_attr", "OPENED": "file.read",
    "ACCESSED": "file.read",
}  # fmt: skip
WAZUH_GROUPS: Final = {
    "authentication_success": ("auth.login", _SUCCESS),
    "authentication_failed": ("auth.login", _FAILURE),
    "authentication_failures": ("auth.login", _FAILURE),
    "invalid_login": ("auth.login", _FAILURE),
    "win_authentication_failed": ("auth.login", _FAILURE),
    "adduser": ("account.create", _SUCCESS),
    "account_changed": ("account.update", _SUCCESS),
    "sudo": ("command.exec", None),
    "syscheck_entry_added": ("file.create", None),
    "syscheck_entry_modified": ("file.update", None),
    "syscheck_entry_deleted": ("file.delete", None),
}
OCSF: Final = {
    f"{class_uid}{activity:02d}": (action, _FAILURE if action == "net.refuse" else None)
    for class_uid, first, actions in (
        (1001, 1, "file.create file.read file.update file.delete file.rename file.set_attr file.set_perm"),
        (1001, 12, "fs.mount fs.unmount"),
        (1006, 1, "schedule.create schedule.update schedule.delete"),
        (1007, 1, "process.start process.stop"),
        (1007, 5, "process.setuid"),
        (1008, 1, "log.clear log.delete log.export log.archive log.rotate log.start log.stop"),
        (2001, 1, "detect.alert detect.alert"),
        (2004, 1, "detect.alert detect.alert"),
        (3001, 1, (
            "account.create account.enable account.password_change account.password_reset account.disable"
                  " account.delete privilege.grant privilege.revoke account.lock account.mfa_enable account.mfa_disable"
                  " account.unlock"
        )),
        (3002, 1, "auth.login auth.logout"),
        (3002, 7, "auth.switch"),
        (3003, 1, "privilege.grant group.member_add"),
        (3004, 1, "api.create api.read config.change api.delete"),
        (3005, 1, "privilege.grant privilege.revoke"),
        (3006, 1, "privilege.grant privilege.revoke group.member_add group.member_remove group.delete group.create"),
        (3007, 1, (
            "account.create account.update account.delete account.enable account.disable account.lock"
                  " account.unlock account.password_change account.password_reset"
        )),
        (3007, 12, "account.mfa_enable account.mfa_disable privilege.grant privilege.revoke role.assign role.remove"),
        (4001, 1, "net.connect net.close net.close"),
        (4001, 5, "net.refuse"),
        (4002, 1, (
            "http.request http.request http.request http.request http.request http.request http.request"
                  " http.request"
        )),
        (4002, 99, "http.request"),
        (4009, 1, "mail.send mail.receive"),
        (6002, 1, (
            "package.install package.remove service.start service.stop service.restart service.enable"
                  " service.disable package.update"
        )),
        (6003, 1, "api.create api.read api.update api.delete"),
        (6005, 1, "data.query data.write"),
        (6005, 4, "data.query data.write"),
    )
    for activity, action in enumerate(actions.split(), first)
}  # fmt: skip
"""OCSF 1.x `type_uid`: class and activity."""

