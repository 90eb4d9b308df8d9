"""Where things lie in the bucket; the names of services, which are checked, are all that came from outside."""

import re

SERVICE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")


def work_prefix(request_id: str) -> str:
    """Return what the keys of everything that is needed to make a report begin with."""
    return f"work/{request_id}/"


def reports_prefix(request_id: str) -> str:
    """Return what the keys of a request's reports begin with."""
    return f"reports/{request_id}/"


def _part(request_id: str, generation: int, service: str) -> str:
    if not SERVICE_NAME.fullmatch(service):
        raise ValueError("not the name of a service")
    return f"{work_prefix(request_id)}{generation}/{service}"


def redactions_key(request_id: str, sha256: str) -> str:
    """Return the key of what people take out of a request's report, by its SHA-256 (hex)."""
    return f"{work_prefix(request_id)}redactions/{sha256}.json"


def near_misses_key(request_id: str, sha256: str) -> str:
    """Return the key of what people decide about near misses, by its SHA-256 (hex)."""
    return f"{work_prefix(request_id)}near-misses/{sha256}.json"


def answer_key(request_id: str, generation: int, service: str) -> str:
    """Return the key of a service's answer: the body as it came."""
    return f"{_part(request_id, generation, service)}/answer.json"


def attachment_key(request_id: str, generation: int, service: str, number: int) -> str:
    """Return the key of an attachment's bytes."""
    return f"{_part(request_id, generation, service)}/attachments/{number:05}"


def part_key(request_id: str, generation: int, service: str) -> str:
    """Return the key of a rendered part."""
    return f"{_part(request_id, generation, service)}/part.pdf"


def summary_key(request_id: str, generation: int, service: str) -> str:
    """Return the key of what is known of a rendered part: its pages and bookmarks."""
    return f"{_part(request_id, generation, service)}/part.json"


def template_key(sha256: str) -> str:
    """Return the key of a template's text."""
    return f"templates/{sha256}.mustache"


def names_key() -> str:
    """Return the key of the names that templates print for codes."""
    return "templates/names.json"


def report_key(request_id: str, generation: int, sha256: str) -> str:
    """Return the key of the report with this SHA-256 (hex) of one claim: nothing else is ever written to it.

    A repeated upload never conflicts, and a report that the request points at never changes.
    """
    return f"{reports_prefix(request_id)}{generation}-{sha256}.pdf"


def generation_of(key: str) -> int:
    """Return the generation in the key of a report."""
    return int(key.rpartition("/")[2].partition("-")[0])


def copy_key(request_id: str, generation: int, sha256: str) -> str:
    """Return the key of the copy of a report that the person gets."""
    return f"{reports_prefix(request_id)}{generation}-{sha256}-subject.pdf"


def package_key(request_id: str, generation: int, sha256: str) -> str:
    """Return the key of the package of a report and what is not in it."""
    return f"{reports_prefix(request_id)}{generation}-{sha256}-package.zip"


def uploads_prefix(request_id: str) -> str:
    """Return what the keys that workers outside may write to begin with."""
    return f"uploads/{request_id}/"


def upload_key(request_id: str, generation: int) -> str:
    """Return the key that the upload address of a claim leads to; what lies there is copied before it counts."""
    return f"{uploads_prefix(request_id)}{generation}.pdf"
