r"""Windows security events as the sentence and sections that Windows shows → the names that the event's XML has.

Knows Microsoft's texts ("Audit events", 4608 to 5157, and their forerunners of Windows 2003, whose numbers are smaller
by 4096), and no column. Agents pass these texts on with line ends, tabs or blanks between the parts:

    An account was successfully logged on.  Subject:  Security ID:  S-1-5-18  Account Name:  SRV$  …  New Logon:  …

A name may be typed by anybody, and hold what looks like other parts. So a part counts in its section only; one that
stands twice there, a name on which something follows that never does, or a section that the event has not, makes what
tells of accounts doubtful: those fields have no value (`?`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

Record = dict[str, str]

_EVENTS: Final = {
    "The audit log was cleared": "1102",
    "Windows is starting up": "4608",
    "Windows is shutting down": "4609",
    "The system time was changed": "4616",
    "An account was successfully logged on": "4624",
    "An account failed to log on": "4625",
    "An account was logged off": "4634",
    "User initiated logoff": "4647",
    "A logon was attempted using explicit credentials": "4648",
    "An object was deleted": "4660",
    "An attempt was made to access an object": "4663",
    "Permissions on an object were changed": "4670",
    "Special privileges assigned to new logon": "4672",
    "A new process has been created": "4688",
    "A process has exited": "4689",
    "A service was installed in the system": "4697",
    "A scheduled task was created": "4698",
    "A scheduled task was deleted": "4699",
    "A scheduled task was enabled": "4700",
    "A scheduled task was disabled": "4701",
    "A scheduled task was updated": "4702",
    "A user right was assigned": "4704",
    "A user right was removed": "4705",
    "System security access was granted to an account": "4717",
    "System security access was removed from an account": "4718",
    "System audit policy was changed": "4719",
    "A user account was created": "4720",
    "A user account was enabled": "4722",
    "An attempt was made to change an account's password": "4723",
    "An attempt was made to reset an account's password": "4724",
    "An attempt was made to reset an accounts password": "4724",
    "A user account was disabled": "4725",
    "A user account was deleted": "4726",
    "A security-enabled global group was created": "4727",
    "A member was added to a security-enabled global group": "4728",
    "A member was removed from a security-enabled global group": "4729",
    "A security-enabled global group was deleted": "4730",
    "A security-enabled local group was created": "4731",
    "A member was added to a security-enabled local group": "4732",
    "A member was removed from a security-enabled local group": "4733",
    "A security-enabled local group was deleted": "4734",
    "A security-enabled local group was changed": "4735",
    "A security-enabled global group was changed": "4737",
    "A user account was changed": "4738",
    "Domain Policy was changed": "4739",
    "A user account was locked out": "4740",
    "A computer account was created": "4741",
    "A computer account was changed": "4742",
    "A computer account was deleted": "4743",
    "A security-enabled universal group was created": "4754",
    "A security-enabled universal group was changed": "4755",
    "A member was added to a security-enabled universal group": "4756",
    "A member was removed from a security-enabled universal group": "4757",
    "A security-enabled universal group was deleted": "4758",
    "A user account was unlocked": "4767",
    "A Kerberos authentication ticket (TGT) was requested": "4768",
    "A Kerberos service ticket was requested": "4769",
    "A Kerberos service ticket was renewed": "4770",
    "Kerberos pre-authentication failed": "4771",
    "The computer attempted to validate the credentials for an account": "4776",
    "The domain controller attempted to validate the credentials for an account": "4776",
    "The domain controller failed to validate the credentials for an account": "4777",
    "A session was reconnected to a Window Station": "4778",
    "A session was disconnected from a Window Station": "4779",
    "The name of an account was changed": "4781",
    "The workstation was locked": "4800",
    "The workstation was unlocked": "4801",
    "A network share object was accessed": "5140",
    "A network share object was checked to see whether client can be granted desired access": "5145",
    "The Windows Filtering Platform has permitted a connection": "5156",
    "The Windows Filtering Platform has blocked a connection": "5157",
    # Windows 2003 and before
    "Successful Logon": "4624",
    "Successful Network Logon": "4624",
    "Logon Failure": "4625",
    "User Logoff": "4634",
    "User Account Created": "4720",
    "User Account Enabled": "4722",
    "Change Password Attempt": "4723",
    "User Account password set": "4724",
    "User Account Disabled": "4725",
    "User Account Deleted": "4726",
    "Security Enabled Global Group Created": "4727",
    "Security Enabled Global Group Member Added": "4728",
    "Security Enabled Global Group Member Removed": "4729",
    "Security Enabled Global Group Deleted": "4730",
    "Security Enabled Local Group Created": "4731",
    "Security Enabled Local Group Member Added": "4732",
    "Security Enabled Local Group Member Removed": "4733",
    "Security Enabled Local Group Deleted": "4734",
    "User Account Changed": "4738",
    "User Account Locked Out": "4740",
    "User Account Unlocked": "4767",
    "Authentication Ticket Request": "4768",
    "Service Ticket Request": "4769",
    "Pre-authentication failed": "4771",
    "Logon attempt by": "4776",
}
_SENTENCE_ENDS: Final = r"(?:[.:]|(?=\s|$))"

# Sections that tell of accounts, and what the names of their fields begin with.
_ACCOUNTS: Final = {
    "Subject": "Subject",
    "Creator Subject": "Subject",
    "Target Subject": "Other",
    "New Logon": "Target",
    "Account For Which Logon Failed": "Target",
    "Account Whose Credentials Were Used": "Target",
    "Account That Was Locked Out": "Target",
    "Account Information": "Target",
    "Account Modified": "Target",
    "Target Account": "Target",
    "New Account": "Target",
    "New Computer Account": "Target",
    "Computer Account That Was Changed": "Target",
    "Target Computer": "Target",
    "Group": "Target",
    "New Group": "Target",
    "Deleted Group": "Target",
    "Member": "Member",
}
_OTHER_SECTIONS: Final = frozenset({
    "Access Granted", "Access Removed", "Access Request Information", "Additional Information",
    "Application Information", "Attributes", "Audit Policy Change", "Certificate Information", "Changed Attributes",
    "Detailed Authentication Information", "Failure Information", "Filter Information", "Logon Information",
    "Network Information", "New Right", "Object", "Process", "Process Information", "Removed Right",
    "Service Information", "Session", "Share Information", "Target Server", "Task Information",
})  # fmt: skip
_HEADINGS: Final = frozenset({*_ACCOUNTS, *_OTHER_SECTIONS})
_TYPED_NAMES: Final[dict[str, Iterable[str]]] = {
    "4624": ("Subject", "New Logon"),
    "4625": ("Subject", "Account For Which Logon Failed"),
    "4648": ("Subject", "Account Whose Credentials Were Used"),
    **dict.fromkeys(("4768", "4769", "4770", "4771"), ("Account Information",)),
}
"""Events with names that anybody may type, and their sections of accounts."""
_WITHOUT_SECTIONS: Final = frozenset({"4776", "4777"})
"""A heading in them stood in a name."""
# What stands in a section of an account: what its field is called, behind Subject, Target or Member.
_OF_ACCOUNT: Final = {
    "Security ID": "UserSid",
    "Account Name": "UserName",
    "Account Domain": "DomainName",
    "Domain Name": "DomainName",
    "Supplied Realm Name": "DomainName",
    "Logon ID": "LogonId",
    "Group Name": "UserName",
    "Group Domain": "DomainName",
    "User ID": "UserId",
    "Logon GUID": "LogonGuid",
    "Linked Logon ID": "LinkedLogonId",
    "Network Account Name": "OutboundUserName",
    "Network Account Domain": "OutboundDomainName",
    "Old Account Name": "OldUserName",
    "New Account Name": "NewUserName",
    "UPN": "UserPrincipalName",
}
_MEMBERS: Final = {"MemberUserName": "MemberName", "MemberUserSid": "MemberSid"}
# What stands anywhere else, each once in an event.
_ELSEWHERE: Final = {
    "Logon Type": "LogonType",
    "Source Network Address": "IpAddress",
    "Source Address": "IpAddress",
    "Network Address": "IpAddress",
    "Client Address": "IpAddress",
    "Source Port": "IpPort",
    "Client Port": "IpPort",
    "Port": "IpPort",
    "Destination Address": "DestAddress",
    "Destination Port": "DestPort",
    "Client Name": "ClientName",
    "Workstation Name": "WorkstationName",
    "Source Workstation": "Workstation",
    "Caller Computer Name": "CallerComputerName",
    "Failure Reason": "FailureReason",
    "Reason": "FailureReason",
    "Status": "Status",
    "Sub Status": "SubStatus",
    "Failure Code": "Status",
    "Result Code": "Status",
    "Error Code": "Status",
    "Logon Account": "TargetUserName",
    "Logon account": "TargetUserName",
    "Logon Process": "LogonProcessName",
    "Authentication Package": "PackageName",
    "New Process Name": "NewProcessName",
    "Process Command Line": "CommandLine",
    "Process Name": "ProcessName",
    "Application Name": "ApplicationName",
    "Service Name": "ServiceName",
    "Service File Name": "ServiceFileName",
    "Share Name": "ShareName",
    "Relative Target Name": "RelativeTargetName",
    "Object Type": "ObjectType",
    "Object Name": "ObjectName",
    "Accesses": "AccessList",
    "Task Name": "TaskName",
    "User Right": "PrivilegeList",
    "Access Right": "PrivilegeList",
    "Privileges": "PrivilegeList",
    "Subcategory": "SubcategoryName",
    "Previous Time": "PreviousTime",
    "New Time": "NewTime",
    "Session Name": "SessionName",
    # Windows 2003 and before, which has no sections
    "User Name": "TargetUserName",
    "New Account Name": "TargetUserName",
    "Target Account Name": "TargetUserName",
    "Caller User Name": "SubjectUserName",
    "Primary User Name": "PrimaryUserName",
    "Member Name": "MemberName",
    "Member ID": "MemberSid",
    "Logon ID": "TargetLogonId",
    "Domain": "TargetDomainName",
}
# Known so that the value before them ends where they begin.
_NO_FIELDS: Final = (
    "Access Mask", "Access Reasons", "Allowed To Delegate To", "Caller Domain", "Caller Logon ID",
    "Caller Process ID", "Caller Process Name", "Category", "Certificate Issuer Name", "Certificate Serial Number",
    "Certificate Thumbprint", "Changes", "Creator Process ID", "Creator Process Name", "Direction", "Display Name",
    "Elevated Token", "Exit Status", "Filter Run-Time ID", "Handle ID", "Home Directory", "Home Drive",
    "Impersonation Level", "Key Length", "Layer Name", "Layer Run-Time ID", "Logon Hours", "Mandatory Label",
    "New Account ID", "New Domain", "New Process ID", "New UAC Value", "Object Server", "Old UAC Value",
    "Operation ID", "Package Name (NTLM only)", "Password Last Set", "Pre-Authentication Type", "Primary Domain",
    "Primary Group ID", "Primary Logon ID", "Process ID", "Profile Path", "Protocol", "Restricted Admin Mode",
    "Rule Name", "SAM Account Name", "Script Path", "Service Account", "Service ID", "Service Start Type",
    "Service Type", "Session ID", "Share Path", "SID History", "Subcategory GUID", "Target Account ID",
    "Target Domain", "Target Server Name", "Task Content", "Ticket Encryption Type", "Ticket Options",
    "Token Elevation Type", "Transited Services", "User Account Control", "User Parameters", "User Principal Name",
    "User Workstations", "Virtual Account",
)  # fmt: skip
# What may follow on a name: in a section of accounts, and outside of any. A heading may where nothing must.
_DOMAINS: Final = frozenset(
    {"Account Domain", "Domain Name", "Supplied Realm Name", "Group Domain", "New Account Name"}
)
_AFTER_A_NAME: Final = {
    True: {"4768": frozenset({"Supplied Realm Name"}), "4771": frozenset[str]()},
    False: {"4625": frozenset({"Domain"}), "4776": frozenset({"Source Workstation"})},
}
_AFTER_OTHERS: Final = {
    True: _DOMAINS,
    False: frozenset(
        {"Domain", "New Domain", "Target Domain", "Caller Domain", "Primary Domain", "User ID", "Supplied Realm Name"}
    ),
}
# Headings that may follow on a name, where not any may.
_HEADINGS_AFTER: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(("4624", "4625", "4648", "4768", "4769"), ()),
    "4771": ("Service Information",),
}


def _any_of(names: list[str]) -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


_SENTENCE: Final = re.compile(f"({_any_of(list(_EVENTS))}){_SENTENCE_ENDS}")
_PART: Final = re.compile(
    rf"(?<!\S)({_any_of([*_ACCOUNTS, *_OTHER_SECTIONS, *_OF_ACCOUNT, *_ELSEWHERE, *_NO_FIELDS])}):(?=\s|$)"
)
_AUDITED: Final = re.compile(
    r"\b(?:AUDIT_(SUCCESS|FAILURE)|(SUCCESS|FAILURE) AUDIT|AUDIT (SUCCESS|FAILURE))\b", re.IGNORECASE
)
_HEAD_CHARS: Final = 1_000
"""An agent's own fields before the sentence are shorter."""
_EXPLAINED: Final = re.compile(
    r"\s(?:This event is (?:generated|logged)|Token Elevation Type indicates|Certificate information is only) "
)
_COUNTED: Final = re.compile(r"(?<=\S)\t\d{1,10}$")
"""Snare's counter, behind the text."""
_DOUBTFUL: Final = "?"
_SAY_ALL: Final = frozenset({"1102", "4608", "4609"})
"""Events whose sentence may be all there is."""


class _Section:
    """The parts between two headings, as fields."""

    def __init__(self, number: str, prefix: str | None, *, is_top: bool = False) -> None:
        self.prefix = prefix
        self._is_top = is_top
        self.of_account: Record = {}
        self.others: Record = {}
        self.has_strange_parts = False
        self._after_a_name = _AFTER_A_NAME[prefix is not None].get(number, _AFTER_OTHERS[prefix is not None])
        self._headings_after = _HEADINGS_AFTER.get(number) if self.has_names else None
        self.is_torn = False
        """A name may have been cut short, for what stood in it."""
        self._name_before = False

    @property
    def has_names(self) -> bool:
        """Say if it is one of an account, or outside of all."""
        return self.prefix is not None or self._is_top

    def end(self, heading: str | None) -> None:
        """End it at the next heading, or with the text."""
        if self._name_before and self._headings_after is not None and heading not in self._headings_after:
            self.is_torn = True

    def add(self, label: str, value: str) -> None:
        """Add one part."""
        if self._name_before and label not in self._after_a_name:
            self.is_torn = True
        kind = _OF_ACCOUNT.get(label)
        if kind is not None and self.prefix is not None:
            name = self.prefix + kind
            self._add_once(self.of_account, _MEMBERS.get(name, name), value)
        elif label in _ELSEWHERE:
            kind = _ELSEWHERE[label]
            self._add_once(self.others, kind, value)
        else:
            self.has_strange_parts = self.has_strange_parts or kind is not None
            kind = None
        self._name_before = kind is not None and kind.endswith("UserName")

    def _add_once(self, fields: Record, name: str, value: str) -> None:
        if fields.setdefault(name, value) is not value:
            fields[name] = _DOUBTFUL
            self.is_torn = self.is_torn or self._is_top or fields is self.of_account


def read_windows(text: str) -> Record | None:
    """Read a security event's text; None for another text, and for a sentence without its sections.

    `type` is the event's number, `audited` what the agent says before the sentence of how it ended.
    """
    sentence = _SENTENCE.search(text, 0, _HEAD_CHARS)
    if sentence is None:
        return None
    number = _EVENTS[sentence[1]]
    sections, is_forged = _sections_of(text, sentence.end(), number)
    record: Record = {}
    for section in sections:
        if section.is_torn or (is_forged and section.has_names):
            record.update(dict.fromkeys(section.of_account, _DOUBTFUL))
            if section.prefix is not None:
                continue  # what looks like other fields stood in a name
            record.update(dict.fromkeys(section.others, _DOUBTFUL))
        for name, value in (*section.of_account.items(), *section.others.items()):
            if record.setdefault(name, value) != value:
                record[name] = _DOUBTFUL
    if not record and number not in _SAY_ALL:
        return None
    record["type"], record["event"] = number, sentence[1]
    if audited := _AUDITED.search(text, 0, sentence.start()):
        record["audited"] = next(filter(None, audited.groups())).lower()
    return record


def _sections_of(text: str, start: int, number: str) -> tuple[list[_Section], bool]:
    """Return the sections, and if some of them cannot be Windows' own."""
    parts = list(_PART.finditer(text, start))
    headings = [part[1] for part in parts if part[1] in _HEADINGS]
    allowed = _TYPED_NAMES.get(number, _ACCOUNTS)
    is_forged = (
        len(set(headings)) < len(headings)
        or any(name in _ACCOUNTS and name not in allowed for name in headings)
        or (number in _WITHOUT_SECTIONS and bool(headings))
    )
    section = _Section(number, None, is_top=True)
    sections = [section]
    ends = (*(part.start() for part in parts[1:]), len(text))
    for part, end in zip(parts, ends, strict=False):
        label = part[1]
        if label in _HEADINGS:
            section.end(label)
            section = _Section(number, _ACCOUNTS.get(label))
            sections.append(section)
        else:
            value = text[part.end() : end]
            section.add(label, _COUNTED.sub("", (value if end < len(text) else _EXPLAINED.split(value)[0]).strip()))
    section.end(None)
    return sections, is_forged or any(section.has_strange_parts for section in sections[1:])
