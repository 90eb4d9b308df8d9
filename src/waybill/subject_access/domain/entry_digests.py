"""What a request says of itself, as the entries of its trail seal it: digests of what each entry changed.

NIST SP 800-92: a log proves something only against what its writer cannot rewrite. With the trail in custody's log, a
request that was changed beside its trail is one that differs from what its entries say.

A digest is that of a salt and a value, both of which are kept with the request and go with it: numbers of people can
be guessed from a plain hash. When a request is archived the names in it go, and so does the salt that they had: what is
left is sealed with another one.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from waybill.core.executions import stable_json
from waybill.subject_access.domain.audit import AuditEntry, ChainBreak

SALT = "seal_salt"
ARCHIVED, DELETED = "ARCHIVED", "DELETED"
_PART = "part "
# What is written without an entry, or is the trail's own.
_UNSAID = frozenset({"pk", "sk", "version", "audit_count", "audit_hash", "claim_expires_at"})


def part_name(service: str) -> str:
    """Return what a service's part is called among the statements."""
    return f"{_PART}{service}"


def statements(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, str]:
    """Return what an entry seals of a request whose attributes were `before` and are `after`, by attribute.

    What is empty is as if it were not there, and sealed as an empty digest once it was something else. With another
    salt everything is sealed anew.
    """
    salt = str(after.get(SALT) or "")
    old, new = _said(before) if before.get(SALT) == salt else {}, _said(after)
    changed = {name: digest(name, value, salt) for name, value in new.items() if value != old.get(name)}
    return changed | dict.fromkeys(old.keys() - new.keys(), "")


def digest(name: str, value: Any, salt: str) -> str:
    """Return the digest (SHA-256, hexadecimal) of one value."""
    said = stable_json({"salt": salt, "name": name, "value": _plain(value)})
    return hashlib.sha256(said.encode(errors="surrogatepass")).hexdigest()


def part_digest(service: str, attributes: Mapping[str, Any], salt: str) -> str:
    """Return the digest of a part's attributes."""
    return digest(part_name(service), _said(attributes), salt)


def unlike(
    entries: Iterable[AuditEntry], request: Mapping[str, Any] | None, parts: Mapping[str, Mapping[str, Any]]
) -> ChainBreak | None:
    """Return the entry that a request, or one of its parts, as it lies there differs from; None where it does not.

    Parameters
    ----------
    request
        Its attributes; None where it is not there any more.
    parts
        The attributes of each part by its service.
    """
    sealed: dict[str, tuple[int, str]] = {}
    last = None
    for last in entries:
        if SALT in last.says and SALT in sealed:
            if last.action != ARCHIVED:
                return ChainBreak(last.number, "seals the request anew: its salt was removed before")
            sealed = {}
        sealed |= {name: (last.number, value) for name, value in last.says.items()}
    if request is None:
        gone = last is None or last.action == DELETED or not sealed
        return None if gone or last is None else ChainBreak(last.number, "is about a request that is not there")
    if not sealed:
        return None
    salt, said = str(request.get(SALT) or ""), _said(request)
    found = {name: digest(name, value, salt) for name, value in said.items()}
    # The parts of an archived request are on their way out.
    if request.get("state") != "Archived":
        found |= {part_name(service): part_digest(service, part, salt) for service, part in parts.items()}
    # With another salt nothing is what it was.
    for name in sorted(sealed.keys() | found.keys(), key=lambda name: (name != SALT, name)):
        number, expected = sealed.get(name, (last.number if last else 0, ""))
        if found.get(name, "") != expected:
            return ChainBreak(number, f"says something else than the request does: {name}")
    return None


def _said(attributes: Mapping[str, Any]) -> dict[str, Any]:
    plain = {name: _plain(value) for name, value in attributes.items() if name not in _UNSAID}
    return {name: value for name, value in plain.items() if value not in (None, "", 0, False, [], {})}


def _plain(value: Any) -> Any:
    """Return a value as JSON has it, without what is null: DynamoDB keeps some of these and drops others."""
    match value:
        case Mapping():
            return {name: _plain(one) for name, one in value.items() if one is not None}
        case list() | tuple():
            return [_plain(one) for one in value]
        case str() | bool() | int() | float() | None:
            return value
    return str(value)
