"""Who may send, by his certificate: RFC 5425 §5's names and fingerprints, and common names; what the config refuses."""

from __future__ import annotations

import hashlib
import ssl
from typing import NamedTuple

import pytest
from pydantic import ValidationError

from receiver import limits
from receiver.config import Tls
from receiver.listen.tls import Certificate, Permitted
from tests.kit.certificates import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


class Case(NamedTuple):
    id: str
    certificate: tuple[str, ...]
    """Common name, then alternative names."""
    permitted: str
    is_permitted: bool


CASES = [
    Case("alternative name", ("web-1", "web-1.example.org"), "web-1.example.org", True),
    Case("any of several", ("x", "a.example.org", "b.example.org"), "b.example.org", True),
    Case("case", ("x", "Web-1.Example.org"), "wEB-1.eXAMPLE.ORG", True),
    Case("part", ("x", "web-1.example.org"), "example.org", False),
    Case("wildcard of ours", ("x", "web-1.example.org"), "*.example.org", True),
    Case("wildcard of ours, two labels", ("x", "a.web.example.org"), "*.example.org", False),
    Case("wildcard of ours, no label", ("x", "example.org"), "*.example.org", False),
    Case("wildcard of theirs", ("x", "*.example.org"), "web-1.example.org", True),
    Case("wildcard of theirs, two labels", ("x", "*.example.org"), "a.web.example.org", False),
    Case("wildcard of both", ("x", "*.example.org"), "*.example.org", True),
    Case("wildcard within a label of theirs", ("x", "w*.example.org"), "web.example.org", False),
    Case("internationalised", ("x", "xn--bcher-kva.example"), "bücher.example", True),
    Case("common name alone", ("web-1.example.org",), "web-1.example.org", True),
    Case("common name beside a name", ("web-1.example.org", "other.example.org"), "web-1.example.org", False),
    Case("common name beside an address", ("web-1.example.org", "192.0.2.1"), "web-1.example.org", False),
    Case("common name asked for", ("web-1.example.org", "other.example.org"), "CN=web-1.example.org", True),
    Case("common name with a space", ("Backup Agent", "b.example.org"), "CN=backup agent", True),
    Case("common name wildcard", ("web-1.example.org", "other.example.net"), "CN=*.example.org", True),
    Case("common name, other", ("web-1", "web-2"), "CN=web-2", False),
    Case("IPv4 address", ("x", "192.0.2.7"), "192.0.2.7", True),
    Case("IPv6 address, written otherwise", ("x", "2001:db8::7"), "2001:DB8:0:0::7", True),
    Case("another address", ("x", "192.0.2.7"), "192.0.2.8", False),
    Case("address as a name", ("192.0.2.7",), "192.0.2.7", False),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_names(authority, case):
    # A signature alone says whom the authority knows, not who may send here.
    files = authority.issue(*case.certificate, file=case.id.replace(" ", "-"))
    certificate = Certificate(ssl.PEM_cert_to_DER_cert(files.certificate.read_text()))
    assert Permitted(["nobody.example.net", case.permitted]).includes(certificate) is case.is_permitted
    assert Tls(certificate="a", key="b", client_ca="c", permitted=[case.permitted]).permitted == (case.permitted,)


def test_fingerprints(authority):
    # As openssl writes it, as RFC 5425 writes it, or plain.
    der = ssl.PEM_cert_to_DER_cert(authority.issue("web-1").certificate.read_text())
    plain = hashlib.sha256(der).hexdigest()
    colons = ":".join(plain[i : i + 2] for i in range(0, 64, 2))
    for entry in (f"sha-256:{plain}", f"SHA-256:{colons.upper()}", f"sha256:{colons}"):
        assert Permitted([entry]).includes(Certificate(der))
        Tls(certificate="a", key="b", client_ca="c", permitted=[entry])
    assert not Permitted(["sha-256:" + "00" * 32]).includes(Certificate(der))


def test_a_crowd_of_names_is_not_in_every_event(authority):
    # A thousand names are cut; the last of them still counts, and the fingerprint is whole.
    names = [f"host-{number}.example.org" for number in range(1_000)]
    der = ssl.PEM_cert_to_DER_cert(authority.issue("crowd", *names).certificate.read_text())
    certificate = Certificate(der)
    assert len(certificate.identity) < limits.IDENTITY_CHARS + 100
    assert certificate.identity.startswith("CN=crowd, SAN=host-0.example.org, ")
    assert certificate.identity.endswith(f"…, sha-256:{hashlib.sha256(der).hexdigest()}")
    assert Permitted([names[-1]]).includes(certificate)


@pytest.mark.parametrize(
    "entry",
    [
        "sha-1:" + "ab" * 20, "sha-256:abcd", "sha-512:" + "ab" * 64, "sha-256:" + "xy" * 32, "ab" * 32,
        ":".join(["AB"] * 32), ":".join(["ab"] * 20), "*", "a.*.example.org", "w*.example.org", "*example.org",
        "*.*.example.org", "*.", "CN=*", "CN=a*",
    ],
)  # fmt: skip
def test_what_could_never_mean_anybody_is_refused(entry):
    # A list that silently permits nobody is found when senders are missed.
    with pytest.raises(ValidationError):
        Tls(certificate="a", key="b", client_ca="c", permitted=[entry])
