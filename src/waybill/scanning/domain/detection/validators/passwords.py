"""Passwords that are assigned, written into addresses, or kept in files."""

import base64
import re
import string

from waybill.scanning.domain.detection.models import Confidence, Surroundings, Verdict
from waybill.scanning.domain.detection.validators.measures import DIGIT, LETTER, entropy
from waybill.scanning.domain.detection.validators.placeholders import EXAMPLE_DOMAIN, is_placeholder

_ASSIGNED = re.compile(rb"(?:(?::=|=>|[:=])[ \t]{0,4}|>)(?:\\?([\"']))?")
# A setting of two fields, one of a Dockerfile, an option of a command, a statement of SQL: what stands in front of the
# literal, and its quote.
_OTHER_FORM = re.compile(
    rb"(?i)(?:(?:key|name|field)[\"']?[ \t]{0,3}[:=][ \t]{0,3}[\"'][^\"'\n]{0,80}[\"'][ \t]{0,3},?[ \t]{0,3}[\"']?value"
    rb"[\"']?[ \t]{0,3}[:=][ \t]{0,3}|env[ \t]{1,4}\w{1,80}[ \t]{1,4}|--[a-z-]{1,80}[ \t]{1,3}"
    rb"|(?:password|identified by)[ \t]{1,4}(?='))([\"'])?"
)
# Tokens that say where a list goes on, that a request or a form is the same one, or that nobody has changed a thing
# meanwhile: they open nothing. In capitals and small letters these are words of their own; `client` and `sync` tokens
# are such in names like clientToken, while CLIENT_TOKEN is a credential.
_PUBLIC_WORDS = (
    *("next", "page", "paging", "pagination", "continue", "continuation", "cursor", "resume", "resumption", "marker"),
    *("starting", "skip", "delta", "change", "lock", "sequence", "idempotency", "csrf", "xsrf", "authenticity"),
    *("csrfmiddleware", "antiforgery", "request[ _-]?verification", "client[ _-]?request"),
)
_PUBLIC = "|".join(_PUBLIC_WORDS)
_PUBLIC_TITLES = "|".join(word[0].upper() + word[1:] for word in _PUBLIC_WORDS)
_PUBLIC_TOKEN = re.compile(
    rf"(?:(?<![A-Za-z])(?i:(?:{_PUBLIC})(?:[ _-]?(?:{_PUBLIC}|sync|upload)){{0,4}})"
    rf"|(?:{_PUBLIC_TITLES})(?:[A-Z][a-z]{{2,12}})?)[ _-]?$".encode("ascii")
)
# One of these is in the last word before; to look for it there takes a tenth of the time.
_PUBLIC_HINTS = (*(word.rpartition("?")[2] for word in _PUBLIC_WORDS), "sync", "upload", "client")
_PUBLIC_HINT = re.compile(rf"(?i){'|'.join(_PUBLIC_HINTS)}".encode("ascii"))
_PUBLIC_IN_ONE_WORD = re.compile(rb"(?:(?<![A-Za-z])(?:client|sync)|Client|Sync)$")


def _opens_nothing(value: bytes, before: bytes) -> bool:
    """Return whether what is assigned to a token is no secret, by the name in front of the word."""
    if value[:5].lower() != b"token":
        return False
    joined = before.rstrip(b" _-")
    if not _PUBLIC_HINT.search(joined, len(joined.rstrip(string.ascii_letters.encode()))):
        return False
    return _PUBLIC_TOKEN.search(before) is not None or (
        value[:5] == b"Token" and _PUBLIC_IN_ONE_WORD.search(before) is not None
    )


_NAME_ALONE = re.compile(
    rb"(?i)(?:key|name|field|variable)\b[^\n]{1,160}(?:password|passwd|pwd|passphrase|secret|token|api[_-]?key)"
    rb"[\"']?,?[ \t]{0,8}\{?[ \t]{0,8}"
)
# The key of an object, in whose `value` it is.
_OBJECT = re.compile(
    rb"\"[\w.-]{1,60}\"[ \t]{0,4}:[ \t]{0,4}\{[ \t]{0,8}(?:\"value\"[ \t]{0,4}:[ \t]{0,4}\"([^\"]{8,128})\")?"
)
_NAMES_BEGIN = frozenset(bytes((letter,)) for letter in b"KkNnFfVv")
# The value of a setting whose name stands in the line above, and the default of a variable of Terraform.
_VALUE_BELOW = re.compile(
    rb"[ \t]{0,8}\r?\n(?:[ \t]{0,80}[\"']?value[\"']?[ \t]{0,3}[:=]"
    rb"|(?:[^\n{}]{0,200}\n){0,6}[ \t]{0,16}default[ \t]{0,8}=)[ \t]{0,3}"
    rb"(?:\"([^\"\n\\]{8,128})\"|'([^'\n]{8,128})'|([^\s\"'<>,;&(){}\[\]|\\$`]{8,128})(?![(]))"
)


def password_assignment(value: bytes, around: Surroundings) -> Verdict | None:
    """A literal with digits or signs among its letters, and no reference, call, placeholder, type or prose."""
    named_alone = value[:1] in _NAMES_BEGIN and _NAME_ALONE.fullmatch(value)
    opened = _OBJECT.fullmatch(value) if value[:1] == b'"' else None
    if opened and opened[1]:
        start, literal = opened.start(1), opened[1]
    elif (named_alone or opened) and (below := _VALUE_BELOW.match(around.after)):
        group = below.lastindex or 0
        start, literal = len(value) + below.start(group), below[group]
    elif opened:
        return None
    else:
        sign = _OTHER_FORM.match(value) or _ASSIGNED.search(value)
        if sign is None or _opens_nothing(value, around.before):
            return None
        start = sign.end()
        literal = value[start:]
        if sign[1]:
            literal = literal.partition(sign[1])[0].removesuffix(b"\\")
        literal = literal.removesuffix(b"</").rstrip(b".")
    if not 8 <= len(literal) <= 128 or b" " in literal or not (DIGIT.search(literal) and LETTER.search(literal)):
        return None
    if entropy(literal) < 2.8 or is_placeholder(literal):
        return None
    # Names of other settings and of things, not values: words of small letters that signs join.
    if re.fullmatch(rb"[a-z]+(?:[-_/:.][a-z0-9]+)+|[A-Z]+(?:_[A-Z0-9]+)+", literal):
        return None
    return Verdict(literal, start=start, end=start + len(literal))


# What stands in such a column where there is no password, and what hashes begin with.
_NO_VALUE = re.compile(
    rb"(?i)(?:yes|no|n/a|null|none|nil|unset|unknown|required|optional|enabled|disabled|expired|active|inactive|empty"
    rb"|string|text|varchar.*)"
    rb"|\$(?:[1256y]|2[abxy]?|argon2\w*|pbkdf2\S*|scrypt|apr1)\$.*|\{(?:S?SHA\d*|S?MD5|CRYPT)\}.*|[-*#.x_]+"
)


def password_in_column(value: bytes, _: Surroundings) -> Verdict | None:
    """Whatever stands in such a column and is no placeholder and no hash; less sure of a plain word."""
    if _NO_VALUE.fullmatch(value) or is_placeholder(value):
        return None
    likely = len(value) >= 8 and DIGIT.search(value) and LETTER.search(value) and entropy(value) >= 2.8
    return Verdict(value, None if likely else Confidence.LOW)


_IN_URL = re.compile(rb"://([^:@/]{0,60}):([^@/]{1,128})@(.{1,253})$", re.DOTALL)
_IN_SETTINGS = re.compile(
    rb"(?i)(?:[?;&](?:password|pwd)=([^&;]{1,128})$|^(?:password|pwd)=([^;]{1,128});|:thin:[^/]{1,60}/([^@]{1,128})@)"
)


# What a value ends at that begins behind a sign: lines of files and addresses are written into other texts.
_CLOSING = {b"(": b")", b"[": b"]", b"{": b"}", b">": b"<", b'"': b'"', b"'": b"'", b"`": b"`"}
_PAIRS = {b"(", b"[", b"{"}
_ESCAPED_LINE_ENDS = (b"\\n", b"\\r")


def _enclosed(value: bytes, before: bytes) -> bytes:
    """Return as much of a value as stands within the bracket, the quotes or the element that it begins in."""
    opening = b'"' if before.endswith(_ESCAPED_LINE_ENDS) else before[-1:]
    closing = _CLOSING.get(opening)
    if closing is None:
        return value
    if opening not in _PAIRS:
        ends = (place for sign in (closing, b"\\") if (place := value.find(sign)) >= 0)
        return value[: min(ends, default=len(value))]
    depth = 1
    for sign in re.finditer(b"[" + re.escape(opening + closing) + b"]", value):
        depth += 1 if sign[0] == opening else -1
        if not depth:
            return value[: sign.start()]
    return value


def credentials_url(value: bytes, around: Surroundings) -> Verdict | None:
    """The password is no placeholder, and the host none that is kept for documentation."""
    whole, value = value, _enclosed(value, around.before)
    end = len(value) if len(value) < len(whole) else None
    if found := _IN_URL.search(value):
        user, password, host = found.groups()
        shown = host.lower().split(b":")[0]
        if is_placeholder(password) or password == user or EXAMPLE_DOMAIN.search(b"@" + shown):
            return None
        return Verdict(value, end=end)
    found = _IN_SETTINGS.search(value)
    return Verdict(value, end=end) if found and not is_placeholder(found[found.lastindex or 0]) else None


def basic_credentials(value: bytes, _: Surroundings) -> Verdict | None:
    """The base64 of a user and a password, or these as they are behind curl's option."""
    found = re.search(rb"[A-Za-z0-9+/]{8,400}={0,2}$|[^\s:\"'=]{1,60}:[^\s:\"']{4,128}$", value)
    if found is None:
        return None
    plain = found[0]
    if b":" not in plain:
        try:
            plain = base64.b64decode(plain, validate=True)
        except ValueError:
            return None
    user, colon, password = plain.partition(b":")
    if not colon or not user or len(password) < 3 or not plain.decode("latin-1").isprintable():
        return None
    return None if is_placeholder(password) else Verdict(found[0], start=found.start(), end=found.end())


_LOGIN_BELOW = re.compile(rb"\s{1,24}login[ \t]{1,8}\S{1,128}\s{1,24}password[ \t]{1,8}(\S{4,128})")


def password_file(value: bytes, around: Surroundings) -> Verdict | None:
    """The last field, or the whole of a hash; of a machine whose password stands on a line below, the machine."""
    if value.startswith(b"$"):
        return Verdict(value)
    if b"password" not in value and value.startswith(b"machine"):
        below = _LOGIN_BELOW.match(around.after)
        return Verdict(value + below[1]) if below and not is_placeholder(below[1]) else None
    value = _enclosed(value, around.before)
    start = max(value.rfind(b":"), value.rfind(b" "), value.rfind(b"\t")) + 1
    password = value[start:]
    if len(password) < 4:
        return None
    if value.startswith(b"machine") and EXAMPLE_DOMAIN.search(b"@" + value.split()[1].lower()):
        return None
    if is_placeholder(password) or entropy(password) < 2:
        return None
    return Verdict(password, start=start, end=start + len(password))


_SECRET_DATA = re.compile(
    rb"(?m)^[ ]{0,8}(?:data|stringData):[ ]{0,4}\r?\n[ ]{1,12}[\w.-]{1,128}:[ ]{1,4}[\"']?([^\s\"']{4,})"
    rb"|\"(?:data|stringData)\"\s{0,8}:\s{0,40}\{\s{0,40}\"[\w.-]{1,128}\"\s{0,8}:\s{0,8}\"([^\s\"]{4,})\""
)
_KIND = re.compile(rb"(?:^|[\s\"{,])kind\"?[ ]{0,4}:[ ]{0,4}[\"']?(\w{1,60})")
_NEXT_OBJECT = re.compile(rb"\n---|\bapiVersion\b")


def kubernetes_secret(value: bytes, around: Surroundings) -> Verdict | None:
    """Data with a value, and the kind: whichever stands first in the object, as tools sort its fields by name."""
    document = value + around.after
    # Programs have blocks of data as well; to look for the kind takes less time than for the next object.
    if b"Secret" not in document:
        return None
    document = _NEXT_OBJECT.split(document, maxsplit=1)[0]
    kind, found = _KIND.search(document), _SECRET_DATA.search(document)
    if kind is None or kind[1] != b"Secret" or found is None:
        return None
    secret = found[found.lastindex or 0]
    return None if is_placeholder(secret) else Verdict(value + secret)
