"""Check a proof that `audit-receiver prove` wrote, without audit-receiver: python3 verifier.py PROOF VERIFIER-KEY"""

import json
import sys
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def need(holds: bool, otherwise: str) -> None:
    if not holds:
        raise SystemExit(f"NOT PROVEN: {otherwise}")


def base64(text: str) -> bytes:
    data = b64decode(text, validate=True)
    need(b64encode(data).decode() == text, "unusual base64")
    return data


def verify(proof: bytes, verifier_key: str) -> str:
    head, _, checkpoint = proof.decode().partition("\n\n")
    first, extra, index, *path = head.split("\n")
    need(f"{first}|{extra[:6]}|{index[:6]}" == "c2sp.org/tlog-proof@v1|extra |index ", "not the proof of an event")
    # The checkpoint: who signed which tree?
    text, _, signatures = checkpoint.rpartition("\n\n")
    origin, size, root = text.split("\n")
    name, key_id, material = verifier_key.split("+", 2)
    key = base64(material)
    need(sha256(name.encode() + b"\n" + key).hexdigest()[:8] == key_id and key[0] == 1, "not a log's verifier key")
    need(name == origin, "the key of another log")
    mine = [base64(line.split(" ")[2]) for line in signatures.splitlines() if line.startswith(f"\u2014 {name} ")]
    mine = [signature[4:] for signature in mine if signature[:4].hex() == key_id]
    need(bool(mine), "not signed by this key")
    Ed25519PublicKey.from_public_bytes(key[1:]).verify(mine[0], f"{text}\n".encode())  # raises InvalidSignature

    # The entry: salt and event, or what a redaction left.
    seq, entry, start = int(index[6:]), base64(extra[6:]), b"audit-receiver/v1\n"
    columns = None if entry.startswith(start) else json.loads(entry[16:])
    if columns:
        entry = start + seq.to_bytes(8, "big") + columns[0].to_bytes(8, "big") + sha256(entry).digest()
    need(len(entry) == 66 and int.from_bytes(entry[18:26], "big") == seq < int(size), "the entry of another event")

    # The tree (RFC 9162 §2.1.3.2): from the leaf up to the signed root.
    hashed, fn, sn = sha256(b"\0" + entry).digest(), seq, int(size) - 1
    for step in map(base64, path):
        need(sn > 0, "path too long")
        left = fn & 1 or fn == sn
        hashed = sha256(b"\1" + (step + hashed if left else hashed + step)).digest()
        while left and not fn & 1 and fn:
            fn, sn = fn >> 1, sn >> 1
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0 and hashed == base64(root), "the event is not in the signed tree")
    return f"PROVEN: event {seq} of {origin}: {columns or 'redacted'}"


if __name__ == "__main__":
    print(verify(Path(sys.argv[1]).read_bytes(), sys.argv[2]))
