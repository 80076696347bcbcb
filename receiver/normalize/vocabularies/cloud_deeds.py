"""What the audit logs of services that others run call a deed → the vocabulary of `action`. Tables only.

Knows words of products; no names of fields (`clouds.py`) and nothing of how a table is read (`readers.py`).
"""

from __future__ import annotations

from typing import Final

from receiver.event import Outcome
from receiver.normalize.vocabularies.deeds import Deeds, deeds

_SUCCESS: Final = str(Outcome.SUCCESS)
_FAILURE: Final = str(Outcome.FAILURE)

CLOUDTRAIL: Final = deeds(
    None,
    {
        "auth.login": "ConsoleLogin UserAuthentication Authenticate CredentialVerification",
        "auth.logout": "Logout",
        "auth.switch": "AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity AssumeRoot SwitchRole ExitRole"
        " RenewRole",
        "session.open": "StartSession",
        "session.close": "TerminateSession",
        "command.exec": "SendCommand ExecuteCommand",
        "account.create": "CreateUser AdminCreateUser",
        "account.delete": "DeleteUser AdminDeleteUser",
        "account.update": "UpdateUser",
        "account.enable": "AdminEnableUser",
        "account.disable": "AdminDisableUser",
        "account.password_change": "ChangePassword UpdateLoginProfile CreateLoginProfile PasswordUpdated",
        "account.password_reset": "PasswordRecoveryRequested PasswordRecoveryCompleted AdminResetUserPassword"
        " ForgotPassword",
        "account.mfa_enable": "EnableMFADevice",
        "account.mfa_disable": "DeactivateMFADevice",
        "group.create": "CreateGroup",
        "group.delete": "DeleteGroup",
        "group.member_add": "AddUserToGroup AddMemberToGroup CreateGroupMembership",
        "group.member_remove": "RemoveUserFromGroup RemoveMemberFromGroup DeleteGroupMembership",
        "privilege.grant": "AttachUserPolicy AttachRolePolicy AttachGroupPolicy PutUserPolicy PutRolePolicy"
        " PutGroupPolicy CreateGrant ",
        "privilege.revoke": "DetachUserPolicy DetachRolePolicy DetachGroupPolicy DeleteUserPolicy DeleteRolePolicy"
        " DeleteGroupPolicy RevokeGrant RetireGrant",
        "log.stop": "StopLogging",
        "log.delete": "DeleteTrail DeleteLogGroup DeleteLogStream",
        "log.start": "StartLogging",
        "secret.read": "GetSecretValue BatchGetSecretValue",
        "secret.write": "PutSecretValue UpdateSecret CreateSecret",
        "secret.delete": "DeleteSecret",
        "api.update": "AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress RevokeSecurityGroupIngress"
        " RevokeSecurityGroupEgress",
        "api.read": "GetFile GetFederationToken GetSessionToken GetUser GetGroup ListUsers ListGroups",
    },
)

GOOGLE_CLOUD: Final = {
    **deeds(
        None,
        {
            "account.create": "google.iam.admin.v1.CreateServiceAccount",
            "account.delete": "google.iam.admin.v1.DeleteServiceAccount",
            "account.disable": "google.iam.admin.v1.DisableServiceAccount",
            "account.enable": "google.iam.admin.v1.EnableServiceAccount",
            "account.update": "google.iam.admin.v1.UpdateServiceAccount google.iam.admin.v1.PatchServiceAccount",
            "secret.read": "google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion",
            "secret.write": "google.cloud.secretmanager.v1.SecretManagerService.AddSecretVersion"
            " google.cloud.secretmanager.v1.SecretManagerService.CreateSecret",
            "secret.delete": "google.cloud.secretmanager.v1.SecretManagerService.DeleteSecret"
            " google.cloud.secretmanager.v1.SecretManagerService.DestroySecretVersion",
            "log.delete": "google.logging.v2.ConfigServiceV2.DeleteSink google.logging.v2.LoggingServiceV2.DeleteLog",
            "data.query": "google.cloud.bigquery.v2.JobService.Query jobservice.query jobservice.jobcompleted",
        },
    ),
    **deeds(
        _SUCCESS,
        {
            "auth.login": "google.login.LoginService.loginSuccess",
            "auth.logout": "google.login.LoginService.logout",
            "account.mfa_enable": "google.login.LoginService.2svEnroll",
            "account.mfa_disable": "google.login.LoginService.2svDisable",
            "account.password_change": "google.login.LoginService.passwordEdit",
        },
    ),
    **deeds(_FAILURE, {"auth.login": "google.login.LoginService.loginFailure"}),
}

AZURE_VAULT: Final = deeds(
    None,
    {
        "secret.read": "SecretGet SecretList SecretListVersions SecretBackup KeyGet KeyDecrypt KeyUnwrap"
        " CertificateGet",
        "secret.write": "SecretSet SecretUpdate SecretRestore KeyCreate KeyImport KeyUpdate CertificateCreate"
        " CertificateImport",
        "secret.delete": "SecretDelete SecretPurge KeyDelete KeyPurge CertificateDelete",
        "file.read": "GetBlob",
        "file.create": "PutBlob",
        "file.delete": "DeleteBlob",
        "api.update": "VaultPatch VaultPut",
        "api.read": "VaultGet",
        "api.delete": "VaultDelete",
        "role.assign": "Microsoft.Authorization/roleAssignments/write",
        "role.remove": "Microsoft.Authorization/roleAssignments/delete",
    },
)
"""Operations of Azure's Key Vault, of its storage and of who has which role."""
SENTINEL_ONE: Final = {
    **deeds(
        _SUCCESS,
        {
            "auth.login": "27",
            "auth.logout": "33",
            "account.create": "23",
            "account.update": "24",
            "account.delete": "25",
        },
    ),
    **deeds(_FAILURE, {"auth.login": "133 134"}),
}
DATABRICKS: Final[Deeds] = {
    f"{service} {name.lower()}": (action, None)
    for service, action, names in (
        ("accounts", "auth.login", "login tokenLogin oidcBrowserLogin samlLogin jwtLogin aadBrowserLogin"),
        ("accounts", "auth.login", "aadTokenLogin oidcTokenAuthorization certLogin mfaLogin"),
        ("accounts", "auth.logout", "logout"),
        ("accounts", "account.create", "add createUser"),
        ("accounts", "account.delete", "delete removeUser"),
        ("accounts", "account.update", "updateUser"),
        ("accounts", "account.enable", "activateUser"),
        ("accounts", "account.disable", "deactivateUser"),
        ("accounts", "account.password_change", "changePassword"),
        ("accounts", "account.password_reset", "resetPassword"),
        ("accounts", "group.create", "createGroup"),
        ("accounts", "group.delete", "removeGroup"),
        ("accounts", "group.member_add", "addPrincipalToGroup addPrincipalsToGroup"),
        ("accounts", "group.member_remove", "removePrincipalFromGroup removePrincipalsFromGroup"),
        ("accounts", "privilege.grant", "setAdmin"),
        ("accounts", "privilege.revoke", "removeAdmin"),
        ("secrets", "secret.read", "getSecret listSecrets"),
        ("secrets", "secret.write", "putSecret"),
        ("secrets", "secret.delete", "deleteSecret"),
        ("databrickssql", "data.query", "commandSubmit"),
    )
    for name in names.split()
}  # fmt: skip
PAGERDUTY: Final[Deeds] = {
    f"user_reference {verb}": (f"account.{verb}", None) for verb in ("create", "update", "delete")
}
ENTRA: Final[Deeds] = {
    "add user": ("account.create", None),
    "create user": ("account.create", None),
    "invite external user": ("account.create", None),
    "delete user": ("account.delete", None),
    "hard delete user": ("account.delete", None),
    "update user": ("account.update", None),
    "restore user": ("account.enable", None),
    "disable account": ("account.disable", None),
    "enable account": ("account.enable", None),
    "change user password": ("account.password_change", None),
    "change password (self-service)": ("account.password_change", None),
    "set force change user password": ("account.update", None),
    "reset user password": ("account.password_reset", None),
    "reset password (by admin)": ("account.password_reset", None),
    "reset password (self-service)": ("account.password_reset", None),
    "self-service password reset flow activity progress": ("account.password_reset", None),
    "unlock user account (self-service)": ("account.unlock", None),
    "user registered security info": ("account.mfa_enable", None),
    "user registered all required security info": ("account.mfa_enable", None),
    "user deleted security info": ("account.mfa_disable", None),
    "enable strong authentication": ("account.mfa_enable", None),
    "disable strong authentication": ("account.mfa_disable", None),
    "add group": ("group.create", None),
    "create group": ("group.create", None),
    "delete group": ("group.delete", None),
    "add member to group": ("group.member_add", None),
    "remove member from group": ("group.member_remove", None),
    "add member to role": ("role.assign", None),
    "add eligible member to role": ("role.assign", None),
    "add member to role completed (pim activation)": ("role.assign", None),
    "remove member from role": ("role.remove", None),
    "remove eligible member from role": ("role.remove", None),
    "remove member from role completed (pim deactivate)": ("role.remove", None),
    "add app role assignment to user": ("privilege.grant", None),
    "add app role assignment grant to user": ("privilege.grant", None),
    "add app role assignment to service principal": ("privilege.grant", None),
    "remove app role assignment from user": ("privilege.revoke", None),
    "remove app role assignment from service principal": ("privilege.revoke", None),
    "add delegated permission grant": ("privilege.grant", None),
    "add oauth2permissiongrant": ("privilege.grant", None),
    "remove delegated permission grant": ("privilege.revoke", None),
    "remove oauth2permissiongrant": ("privilege.revoke", None),
    "consent to application": ("privilege.grant", None),
    "sign-in activity": ("auth.login", None),
    "userloggedin": ("auth.login", _SUCCESS),
    "userloginfailed": ("auth.login", _FAILURE),
    "foreignrealmindexlogoninitialauthusingadfsfederatedtoken": ("auth.login", _SUCCESS),
    "set company information": ("config.change", None),
    "update policy": ("config.change", None),
    "add policy": ("config.change", None),
    "delete policy": ("config.change", None),
    "add conditional access policy": ("config.change", None),
    "update conditional access policy": ("config.change", None),
    "delete conditional access policy": ("config.change", None),
    "update authorization policy": ("config.change", None),
    "add application": ("api.create", None),
    "add service principal": ("api.create", None),
    "add device": ("api.create", None),
    "register device": ("api.create", None),
    "update application": ("api.update", None),
    "update group": ("api.update", None),
    "update device": ("api.update", None),
    "update service principal": ("api.update", None),
    "delete application": ("api.delete", None),
    "remove service principal": ("api.delete", None),
    "delete device": ("api.delete", None),
}
"""Entra ID's activities, in lower case; in Microsoft 365 they end in a full stop."""

MICROSOFT_365: Final = {
    **ENTRA,
    **{f"{name}.": deed for name, deed in ENTRA.items()},
    **deeds(
        None,
        {
            "auth.login": "MailboxLogin SignInEvent TeamsSessionStarted",
            "auth.logout": "UserLoggedOut",
            "mail.send": "Send SendAs SendOnBehalf",
            "mail.receive": "MailReceived",
            "file.read": "FileAccessed FileAccessedExtended FileDownloaded FilePreviewed FileViewed"
            " FileSyncDownloadedFull"
            " FileSyncDownloadedPartial",
            "file.create": "FileUploaded FileCreated FileCopied FolderCreated FolderCopied FileSyncUploadedFull",
            "file.update": "FileModified FileModifiedExtended FileCheckedIn FolderModified FileSyncUploadedPartial",
            "file.delete": "FileDeleted FileRecycled FileDeletedFirstStageRecycleBin FileDeletedSecondStageRecycleBin"
            " FolderDeleted FolderRecycled FileVersionsAllDeleted",
            "file.rename": "FileRenamed FileMoved FolderRenamed FolderMoved",
            "privilege.grant": "Add-MailboxPermission Add-RecipientPermission Add-MailboxFolderPermission"
            " AddFolderPermissions SiteCollectionAdminAdded SharingSet SecureLinkCreated AddedToSecureLink"
            " SharingInvitationCreated AnonymousLinkCreated CompanyLinkCreated",
            "privilege.revoke": "Remove-MailboxPermission Remove-RecipientPermission Remove-MailboxFolderPermission"
            " RemoveFolderPermissions SiteCollectionAdminRemoved SharingRevoked SharingInvitationRevoked"
            " AnonymousLinkRemoved CompanyLinkRemoved",
            "role.assign": "Add-RoleGroupMember New-ManagementRoleAssignment",
            "role.remove": "Remove-RoleGroupMember Remove-ManagementRoleAssignment",
            "group.create": "GroupAdded New-DistributionGroup New-UnifiedGroup TeamCreated",
            "group.delete": "GroupRemoved Remove-DistributionGroup Remove-UnifiedGroup TeamDeleted",
            "group.member_add": "AddedToGroup MemberAdded Add-DistributionGroupMember Add-UnifiedGroupLinks",
            "group.member_remove": "RemovedFromGroup MemberRemoved Remove-DistributionGroupMember"
            " Remove-UnifiedGroupLinks",
            "account.create": "New-Mailbox New-MailUser",
            "account.delete": "Remove-Mailbox Remove-MailUser",
            "account.update": "Set-Mailbox Set-User Set-MailUser",
            "config.change": "New-InboxRule Set-InboxRule Remove-InboxRule Enable-InboxRule Disable-InboxRule"
            " UpdateInboxRules New-TransportRule Set-TransportRule Remove-TransportRule Set-AdminAuditLogConfig"
            " Set-OrganizationConfig Set-CASMailbox Set-TransportConfig TeamSettingChanged",
            "log.export": "SearchExportDownloaded",
            "detect.alert": "FileMalwareDetected AlertTriggered AlertEntityGenerated",
        },
    ),
}

OKTA: Final = {
    **deeds(
        None,
        {
            "auth.login": "user.session.start user.authentication.auth user.authentication.sso"
            " user.authentication.auth_via_mfa user.authentication.auth_via_idp"
            " user.authentication.auth_via_inbound_saml user.authentication.auth_via_social"
            " user.authentication.auth_via_AD_agent user.authentication.auth_via_LDAP_agent"
            " user.authentication.auth_via_radius user.authentication.auth_via_IDP user.authentication.verify"
            " user.session.access_admin_app app.radius.agent.auth user.authentication.authenticate",
            "auth.logout": "user.session.end user.authentication.slo",
            "auth.switch": "user.session.impersonation.initiate",
            "session.close": "user.session.clear user.session.impersonation.end",
            "account.create": "user.lifecycle.create user.registration.create",
            "account.delete": "user.lifecycle.delete.initiated user.lifecycle.delete.completed user.lifecycle.delete",
            "account.enable": "user.lifecycle.activate user.lifecycle.reactivate user.lifecycle.unsuspend",
            "account.disable": "user.lifecycle.deactivate user.lifecycle.suspend",
            "account.lock": "user.account.lock user.account.lock.limit",
            "account.unlock": "user.account.unlock user.account.unlock_by_admin user.account.unlock_token",
            "account.update": "user.account.update_profile user.account.update_primary_email"
            " user.account.update_secondary_email user.account.update_phone user.account.update_user_type",
            "account.password_change": "user.account.update_password",
            "account.password_reset": "user.account.reset_password user.account.expire_password"
            " ",
            "account.mfa_enable": "user.mfa.factor.activate user.mfa.factor.enroll",
            "account.mfa_disable": "user.mfa.factor.deactivate user.mfa.factor.reset_all user.mfa.factor.suspend",
            "group.create": "group.lifecycle.create",
            "group.delete": "group.lifecycle.delete",
            "group.member_add": "group.user_membership.add",
            "group.member_remove": "group.user_membership.remove",
            "privilege.grant": "user.account.privilege.grant group.privilege.grant application.user_membership.add"
            " iam.resourceset.bindings.add",
            "privilege.revoke": "user.account.privilege.revoke group.privilege.revoke"
            " application.user_membership.remove iam.resourceset.bindings.delete",
            "config.change": "policy.lifecycle.create policy.lifecycle.update policy.lifecycle.delete"
            " policy.lifecycle.activate policy.lifecycle.deactivate policy.rule.add policy.rule.update"
            " policy.rule.delete policy.rule.create policy.rule.activate policy.rule.deactivate zone.create"
            " zone.update zone.delete system.org.settings.update security.threat.configuration.update",
            "api.create": "application.lifecycle.create system.api_token.create system.idp.lifecycle.create"
            " app.oauth2.client.lifecycle.create event_hook.create",
            "api.update": "application.lifecycle.update application.lifecycle.activate application.lifecycle.deactivate"
            " system.idp.lifecycle.update",
            "api.delete": "application.lifecycle.delete system.api_token.revoke system.idp.lifecycle.delete",
            "detect.alert": "security.threat.detected user.account.report_suspicious_activity_by_enduser",
        },
    ),
}

AUTH0: Final = {
    **deeds(
        _SUCCESS,
        {
            "auth.login": "s scoa seacft seccft sepft seotpft seoobft serecft gd_auth_succeed ssa sens",
            "auth.logout": "slo",
            "account.create": "ss",
            "account.delete": "sdu du",
            "account.password_change": "scp",
            "account.password_reset": "scpr",
            "account.update": "sce scu scpn sv",
            "account.mfa_enable": "gd_enrollment_complete",
            "account.mfa_disable": "gd_unenroll",
            "api.read": "mgmt_api_read",
        },
    ),
    **deeds(
        _FAILURE,
        {
            "auth.login": "f fp fu fc fco fcoa feacft feccft fepft feotpft feoobft ferecft gd_auth_failed fsa fens"
            " limit_wc limit_mu limit_sul pwd_leak gd_auth_rejected",
            "auth.logout": "flo",
            "account.create": "fs signup_pwd_leak",
            "account.delete": "fdu",
            "account.password_change": "fcp",
            "account.password_reset": "fcpr",
            "account.update": "fce fcu fcpn fv",
        },
    ),
}
GOOGLE_WORKSPACE: Final = {
    **deeds(
        _SUCCESS,
        {
            "auth.login": "login_success",
            "auth.logout": "logout",
            "account.mfa_enable": "2sv_enroll",
            "account.mfa_disable": "2sv_disable",
            "account.password_change": "password_edit",
            "account.update": "recovery_email_edit recovery_phone_edit recovery_secret_qa_edit",
        },
    ),
    **deeds(_FAILURE, {"auth.login": "login_failure"}),
    **deeds(
        None,
        {
            "auth.login": "login_challenge login_verification",
            "account.create": "CREATE_USER",
            "account.delete": "DELETE_USER",
            "account.disable": "SUSPEND_USER ARCHIVE_USER account_disabled_generic account_disabled_hijacked"
            " account_disabled_password_leak account_disabled_spamming",
            "account.enable": "UNSUSPEND_USER UNARCHIVE_USER UNDELETE_USER",
            "account.update": "RENAME_USER CHANGE_FIRST_NAME CHANGE_LAST_NAME CHANGE_RECOVERY_EMAIL"
            " CHANGE_RECOVERY_PHONE ADD_NICKNAME REMOVE_NICKNAME MOVE_USER_TO_ORG_UNIT UPDATE_USER_FIELD",
            "account.password_change": "CHANGE_PASSWORD",
            "account.password_reset": "CHANGE_PASSWORD_ON_NEXT_LOGIN",
            "account.mfa_disable": "TURN_OFF_2_STEP_VERIFICATION",
            "privilege.grant": "GRANT_ADMIN_PRIVILEGE GRANT_DELEGATED_ADMIN_PRIVILEGES authorize"
            " AUTHORIZE_API_CLIENT_ACCESS",
            "privilege.revoke": "REVOKE_ADMIN_PRIVILEGE revoke REMOVE_API_CLIENT_ACCESS",
            "role.assign": "ASSIGN_ROLE",
            "role.remove": "UNASSIGN_ROLE",
            "group.create": "CREATE_GROUP create_group",
            "group.delete": "DELETE_GROUP delete_group",
            "group.member_add": "ADD_GROUP_MEMBER add_user add_member",
            "group.member_remove": "REMOVE_GROUP_MEMBER remove_user remove_member",
            "config.change": "CHANGE_APPLICATION_SETTING CREATE_APPLICATION_SETTING DELETE_APPLICATION_SETTING"
            " CHANGE_GROUP_SETTING ENFORCE_STRONG_AUTHENTICATION ALLOW_STRONG_AUTHENTICATION change_basic_setting"
            " TOGGLE_SERVICE_ENABLED CHANGE_DOCS_SETTING CHANGE_GMAIL_SETTING",
            "file.read": "view download preview print source_copy",
            "file.create": "create upload copy",
            "file.update": "edit",
            "file.delete": "delete trash",
            "file.rename": "rename move",
            "file.set_perm": "change_user_access change_document_visibility change_document_access_scope"
            " change_acl_editors",
            "api.create": "CREATE_ROLE",
            "api.delete": "DELETE_ROLE",
            "detect.alert": "suspicious_login suspicious_login_less_secure_app suspicious_programmatic_login"
            " gov_attack_warning",
        },
    ),
}

SLACK: Final = {
    **deeds(
        None,
        {
            "auth.login": "user_login",
            "auth.logout": "user_logout user_logout_compromised user_logout_non_compliant_mobile_app_version",
            "account.create": "user_created guest_created ",
            "account.disable": "user_deactivated guest_deactivated guest_expired",
            "account.enable": "user_reactivated guest_reactivated",
            "account.update": "user_email_updated user_profile_updated user_username_updated",
            "account.password_reset": "user_password_reset user_force_password_reset manual_user_password_reset",
            "account.mfa_enable": " user_2fa_enabled",
            "role.assign": "role_change_to_admin role_change_to_owner role_change_to_guest role_change_to_user"
            " role_assigned permissions_assigned",
            "role.remove": "role_removed permissions_removed",
            "file.read": "file_downloaded file_accessed",
            "file.create": "file_uploaded",
            "file.delete": "file_malicious_content_deleted file_deleted",
            "group.create": "usergroup_created",
            "group.member_add": "user_added_to_usergroup",
            "group.member_remove": "user_removed_from_usergroup",
            "privilege.grant": "app_approved app_scopes_expanded",
            "privilege.revoke": "app_restricted app_removed",
            "package.install": "app_installed",
            "package.remove": "app_uninstalled",
            "api.create": "public_channel_created private_channel_created workspace_created service_account_created",
            "api.delete": "public_channel_deleted private_channel_deleted workspace_deleted",
            "detect.alert": "anomaly",
        },
    ),
    **deeds(_FAILURE, {"auth.login": "user_login_failed"}),
}

DUO: Final = {
    **deeds(
        None,
        {
            "auth.login": "authentication admin_login admin_2fa",
            "auth.logout": "admin_logout",
            "account.create": "user_create admin_create user_import",
            "account.update": "user_update admin_update user_rename",
            "account.delete": "user_delete admin_delete user_pending_delete",
            "account.enable": "user_restore admin_activate",
            "account.lock": "user_lock_out admin_lockout",
            "account.unlock": "admin_unlock",
            "account.password_reset": "admin_reset_password admin_send_reset_password_email",
            "account.password_change": "admin_change_password",
            "account.mfa_enable": "enrollment phone_associate hardtoken_associate u2ftoken_create",
            "account.mfa_disable": "phone_disassociate hardtoken_disassociate u2ftoken_delete",
            "group.create": "group_create",
            "group.delete": "group_delete",
            "api.create": "integration_create phone_create bypass_create policy_create",
            "api.update": "integration_update phone_update group_update policy_update",
            "api.delete": "integration_delete phone_delete bypass_delete policy_delete",
            "config.change": "customer_update feature_update",
        },
    ),
    **deeds(_FAILURE, {"auth.login": "admin_login_error admin_2fa_error admin_factor_failed"}),
}
JUMPCLOUD: Final = {
    **deeds(
        None,
        {
            "auth.login": "user_login_attempt user_login admin_login_attempt sso_auth radius_auth_attempt"
            " radius_auth ldap_bind login_attempt mdm_login",
            "auth.logout": "user_logout admin_logout",
            "account.create": "user_create user_create_provision admin_create",
            "account.update": "user_update user_update_provision admin_update",
            "account.delete": "user_delete user_delete_provision admin_delete",
            "account.disable": "user_suspended",
            "account.enable": "user_activated user_unsuspended",
            "account.lock": "user_lockout admin_lockout",
            "account.unlock": "user_unlocked",
            "account.password_change": "user_password_change user_password_set admin_password_change",
            "account.password_reset": "user_password_reset_request user_admin_reset_password"
            " admin_password_reset_request"
            " user_password_reset",
            "account.mfa_enable": "user_mfa_enrollment totp_finalize_enrollment user_admin_enable_mfa",
            "account.mfa_disable": "user_mfa_exclusion_expired user_admin_disable_mfa totp_delete_enrollment",
            "group.create": "group_create",
            "group.delete": "group_delete",
            "role.assign": "user_admin_granted admin_role_assigned",
            "role.remove": "user_admin_revoked",
            "command.exec": "command_run",
        },
    ),
}
ONELOGIN: Final = {
    **deeds(
        _SUCCESS,
        {
            "auth.login": "5 8 ",
            "auth.logout": "7",
            "auth.switch": "3",
            "account.password_change": "11",
            "account.unlock": "12",
            "account.create": "13",
            "account.update": "14",
            "account.disable": "15",
            "account.enable": "16",
            "account.delete": "17",
            "account.lock": "19",
        },
    ),
    **deeds(_FAILURE, {"auth.login": "6"}),
}
BITWARDEN: Final = {
    **deeds(
        _SUCCESS,
        {
            "auth.login": "1000",
            "account.password_change": "1001",
            "account.mfa_enable": "1002",
            "account.mfa_disable": "1003",
            "secret.write": "1100 1101 ",
            "secret.delete": "1102 1115",
            "secret.read": "1107 1108 1109 1110 1111 1112 1113 1114 1117",
            "api.create": "1300",
            "api.update": "1301",
            "api.delete": "1302",
            "group.create": "1400",
            "group.delete": "1402",
            "account.create": "1500",
            "account.enable": "1501 1512",
            "account.update": "1502",
            "account.delete": "1503",
            "account.disable": "1511",
            "config.change": "1600 1700",
        },
    ),
    **deeds(_FAILURE, {"auth.login": "1005 1006"}),
}
BOX: Final = {
    **deeds(
        _SUCCESS,
        {
            "auth.login": "LOGIN ADMIN_LOGIN",
            "account.create": "NEW_USER USER_CREATED",
            "account.delete": "DELETE_USER",
            "account.update": "EDIT_USER USER_UPDATED",
            "account.password_reset": "PASSWORD_RESET",
            "account.mfa_enable": "MULTI_FACTOR_AUTH_ENABLE",
            "account.mfa_disable": "MULTI_FACTOR_AUTH_DISABLE",
            "group.create": "GROUP_CREATION",
            "group.delete": "GROUP_DELETION",
            "group.member_add": "GROUP_ADD_USER",
            "group.member_remove": "GROUP_REMOVE_USER",
            "role.assign": "CHANGE_ADMIN_ROLE",
            "file.read": "DOWNLOAD PREVIEW ITEM_DOWNLOAD ITEM_PREVIEW ITEM_OPEN CONTENT_ACCESS",
            "file.create": "UPLOAD ITEM_UPLOAD ITEM_CREATE COPY ITEM_COPY",
            "file.update": "EDIT ITEM_MODIFY",
            "file.delete": "DELETE ITEM_TRASH",
            "file.rename": "RENAME ITEM_RENAME MOVE ITEM_MOVE",
            "privilege.grant": "COLLABORATION_INVITE COLLABORATION_ACCEPT SHARE ITEM_SHARED GROUP_ADD_ITEM",
            "privilege.revoke": "COLLABORATION_REMOVE UNSHARE ITEM_UNSHARED GROUP_REMOVE_ITEM",
        },
    ),
    **deeds(_FAILURE, {"auth.login": "FAILED_LOGIN"}),
    **deeds(None, {"detect.alert": "SHIELD_ALERT"}),
}
ZOOM: Final = {
    **deeds(
        _SUCCESS,
        {
            "auth.login": "user.signed_in",
            "auth.logout": "user.signed_out",
            "account.create": "user.created user.invitation_accepted",
            "account.delete": "user.deleted user.disassociated",
            "account.update": "user.updated user.settings_updated",
            "account.enable": "user.activated",
            "account.disable": "user.deactivated",
            "config.change": "account.updated account.settings_updated",
        },
    ),
    **deeds(None, {"auth.login": "sign_in", "auth.logout": "sign_out"}),
}
ZOOM_OPERATIONS: Final[Deeds] = {
    f"{kind} {verb}": (action, _SUCCESS)
    for kind, verb, action in (
        ("user", "add", "account.create"), ("user", "create", "account.create"), ("user", "delete", "account.delete"),
        ("user", "update", "account.update"), ("user", "deactivate", "account.disable"),
        ("user", "activate", "account.enable"), ("role", "update", "role.assign"),
        ("account", "update", "config.change"),
        ("group", "add", "group.create"), ("group", "delete", "group.delete"),
    )
}  # fmt: skip
ATLASSIAN: Final = {
    **deeds(
        None,
        {
            "auth.login": "user_login",
            "account.create": "user_created user_invited user_added_to_org",
            "account.delete": "user_deleted",
            "account.disable": "user_deactivated user_suspended",
            "account.enable": "user_reactivated user_activated user_restored",
            "account.password_change": "user_password_changed",
            "group.create": "group_created",
            "group.delete": "group_deleted",
            "group.member_add": "user_added_to_group group_member_added",
            "group.member_remove": "user_removed_from_group group_member_removed",
            "privilege.grant": "user_granted_product_access user_granted_role user_product_access_added",
            "privilege.revoke": "user_revoked_product_access user_revoked_role",
            "api.create": "api_token_created",
            "api.delete": "api_token_revoked",
        },
    ),
}
ATLASSIAN_SUMMARIES: Final[Deeds] = {
    **{f"{kind} permission granted": ("privilege.grant", _SUCCESS) for kind in ("project", "repository", "global")},
    **{f"{kind} permission revoked": ("privilege.revoke", _SUCCESS) for kind in ("project", "repository", "global")},
    "user created": ("account.create", _SUCCESS),
    "user added": ("account.create", _SUCCESS),
    "user deleted": ("account.delete", _SUCCESS),
    "user removed": ("account.delete", _SUCCESS),
    "user updated": ("account.update", _SUCCESS),
    "user's details changed": ("account.update", _SUCCESS),
    "user deactivated": ("account.disable", _SUCCESS),
    "user activated": ("account.enable", _SUCCESS),
    "user's password changed": ("account.password_change", _SUCCESS),
    "password changed": ("account.password_change", _SUCCESS),
    "user password reset": ("account.password_reset", _SUCCESS),
    "user added to group": ("group.member_add", _SUCCESS),
    "user removed from group": ("group.member_remove", _SUCCESS),
    "group created": ("group.create", _SUCCESS),
    "group added": ("group.create", _SUCCESS),
    "group deleted": ("group.delete", _SUCCESS),
    "group removed": ("group.delete", _SUCCESS),
    "user login": ("auth.login", None),
    "user login successful": ("auth.login", _SUCCESS),
    "user login failed": ("auth.login", _FAILURE),
    "user login failure": ("auth.login", _FAILURE),
    "login failed": ("auth.login", _FAILURE),
    "user logout": ("auth.logout", _SUCCESS),
    "user logged out": ("auth.logout", _SUCCESS),
    "permission granted": ("privilege.grant", _SUCCESS),
    "global permission added": ("privilege.grant", _SUCCESS),
    "space permission added": ("privilege.grant", _SUCCESS),
    "permission scheme updated": ("config.change", _SUCCESS),
    "global permission removed": ("privilege.revoke", _SUCCESS),
    "space permission removed": ("privilege.revoke", _SUCCESS),
    "global settings changed": ("config.change", _SUCCESS),
    "project created": ("api.create", _SUCCESS),
    "project deleted": ("api.delete", _SUCCESS),
    "project updated": ("api.update", _SUCCESS),
    "space created": ("api.create", _SUCCESS),
    "space deleted": ("api.delete", _SUCCESS),
    "repository created": ("api.create", _SUCCESS),
    "repository deleted": ("api.delete", _SUCCESS),
}
ONEPASSWORD: Final[Deeds] = {
    f"{kind} {verb}": (action, None)
    for kind, verb, action in (
        ("user", "create", "account.create"), ("user", "join", "account.create"), ("user", "delete", "account.delete"),
        ("user", "suspend", "account.disable"), ("user", "tsuspend", "account.disable"),
        ("user", "reactive", "account.enable"), ("user", "reactivate", "account.enable"),
        ("user", "update", "account.update"), ("user", "beginr", "account.password_reset"),
        ("user", "completr", "account.password_reset"), ("user", "changenm", "account.update"),
        ("user", "changepw", "account.password_change"), ("user", "changemp", "account.password_change"),
        ("user", "changesk", "account.update"), ("user", "changela", "account.update"),
        ("user", "enblmfa", "account.mfa_enable"), ("user", "disblmfa", "account.mfa_disable"),
        ("mfa", "enblmfa", "account.mfa_enable"), ("mfa", "disblmfa", "account.mfa_disable"),
        ("mfa", "updatmfa", "account.update"),
        ("group", "create", "group.create"), ("group", "delete", "group.delete"), ("gm", "join", "group.member_add"),
        ("gm", "leave", "group.member_remove"), ("gm", "role", "role.assign"), ("gva", "grant", "privilege.grant"),
        ("gva", "revoke", "privilege.revoke"), ("uva", "grant", "privilege.grant"),
        ("uva", "revoke", "privilege.revoke"), ("vault", "create", "api.create"), ("vault", "delete", "api.delete"),
        ("vault", "export", "api.read"), ("vault", "updatea", "api.update"), ("items", "create", "secret.write"),
        ("items", "patch", "secret.write"), ("items", "delete", "secret.delete"), ("items", "purge", "secret.delete"),
        ("item", "create", "secret.write"), ("item", "delete", "secret.delete"), ("invite", "create", "api.create"),
        ("report", "view", "api.read"), ("account", "update", "config.change"),
    )
}  # fmt: skip
ONEPASSWORD_USAGES: Final = deeds(
    None, {"secret.read": "fill reveal secure-copy server-fetch export", "secret.write": "server-create server-update"}
)
CLOUDFLARE: Final = {
    **deeds(
        None,
        {
            "auth.login": "login",
            "auth.logout": "logout",
            "account.mfa_enable": "2fa_enable two_factor_enabled",
            "account.mfa_disable": "2fa_disable",
            "group.member_add": "member_add member_create member_invite",
            "group.member_remove": "member_remove member_delete",
            "api.create": "add create token_create rec_add rule_add key_create purge_create",
            "config.change": "change_setting tls_settings_deployed",
            "api.update": "update change set rec_set token_update edit patch",
            "api.delete": "delete remove rec_del token_delete token_revoke rule_delete key_delete revoke",
            "api.read": "view_key view API_key_view read",
        },
    ),
}
CLOUDFLARE_TYPED: Final[Deeds] = {
    f"{kind} {verb}": (action, None)
    for kind in ("member", "account_member", "account member")
    for verbs, action in (
        ("add create invite", "group.member_add"), ("delete remove", "group.member_remove"),
        ("update change", "role.assign"),
    )
    for verb in verbs.split()
}  # fmt: skip
SALESFORCE: Final = deeds(
    None,
    {
        "auth.login": "Login LoginAs",
        "auth.logout": "Logout",
        "api.read": "Report ReportExport",
        "http.request": "URI",
    },
)
SNOWFLAKE_QUERIES: Final = {
    **deeds(
        None,
        {
            "data.query": "SELECT SHOW DESCRIBE EXPLAIN",
            "data.write": "INSERT UPDATE DELETE MERGE COPY TRUNCATE_TABLE CREATE CREATE_TABLE"
            " CREATE_TABLE_AS_SELECT DROP ALTER UNLOAD",
            "privilege.grant": "GRANT",
            "privilege.revoke": "REVOKE",
            "account.create": "CREATE_USER",
            "account.update": "ALTER_USER",
            "account.delete": "DROP_USER",
            "role.assign": "GRANT_ROLE",
        },
    ),
}
PING_ONE: Final = {
    **deeds(
        None,
        {
            "auth.login": "USER.ACCESS_ALLOWED AUTHENTICATION.CREATED PASSWORD.CHECK_SUCCEEDED",
            "account.create": "USER.CREATED",
            "account.update": "USER.UPDATED",
            "account.delete": "USER.DELETED",
            "account.lock": "USER.LOCKED",
            "account.unlock": "USER.UNLOCKED",
            "account.password_reset": "PASSWORD.RESET PASSWORD.RECOVERY",
            "account.password_change": "PASSWORD.SET",
            "role.assign": "ROLE_ASSIGNMENT.CREATED",
            "role.remove": "ROLE_ASSIGNMENT.DELETED",
            "group.create": "GROUP.CREATED",
            "group.delete": "GROUP.DELETED",
            "group.member_add": "MEMBER_OF_GROUP.CREATED",
            "group.member_remove": "MEMBER_OF_GROUP.DELETED",
        },
    ),
    **deeds(_FAILURE, {"auth.login": "USER.ACCESS_DENIED PASSWORD.CHECK_FAILED"}),
}
CROWDSTRIKE_SESSIONS: Final = deeds(
    _SUCCESS,
    {"session.open": "RemoteResponseSessionStartEvent", "session.close": "RemoteResponseSessionEndEvent"},
)
CROWDSTRIKE: Final = deeds(
    None,
    {
        "auth.login": "userAuthenticate twoFactorAuthenticate saml2Assert",
        "account.create": "createUser",
        "account.update": "updateUser",
        "account.delete": "deleteUser",
        "account.disable": "deactivateUser",
        "account.enable": "activateUser",
        "account.password_reset": "requestResetPassword resetAuthSecret",
        "account.password_change": "changePassword",
        "role.assign": "grantUserRoles grantCustomerSubscriptions",
        "role.remove": "revokeUserRoles",
        "config.change": "policyUpdate create_policy update_policy delete_policy",
    },
)
TAILSCALE: Final[Deeds] = {
    f"{kind} {verb}": (action, _SUCCESS)
    for kind, verb, action in (
        ("user", "create", "account.create"), ("user", "delete", "account.delete"),
        ("user", "update", "account.update"),
        ("user", "suspend", "account.disable"), ("user", "restore", "account.enable"), ("user", "login", "auth.login"),
        ("node", "login", "auth.login"), ("user", "logout", "auth.logout"), ("tailnet", "update", "config.change"),
    )
}  # fmt: skip
DROPBOX: Final = {
    **deeds(
        None,
        {
            "auth.login": "login_success sso_login",
            "auth.logout": "logout",
            "group.create": "group_create",
            "group.delete": "group_delete",
            "group.member_add": "group_add_member",
            "group.member_remove": "group_remove_member",
            "account.password_change": "password_change",
            "account.password_reset": "password_reset",
            "file.create": "file_add file_copy create_folder",
            "file.read": "file_download file_preview",
            "file.update": "file_edit",
            "file.delete": "file_delete file_permanently_delete",
            "file.rename": "file_rename file_move",
            "role.assign": "member_change_admin_role",
        },
    ),
    **deeds(_FAILURE, {"auth.login": "login_fail"}),
}
