"""What people have marked, as a service's part is drawn with it."""

from collections.abc import Mapping, Sequence

from waybill.subject_access.domain.redactions import MarkedValue, Redactions
from waybill.subject_access.domain.report.matching import is_small_name, people
from waybill.subject_access.domain.report.models import Redaction
from waybill.subject_access.domain.report.redaction import names_person, redacted_as
from waybill.subject_access.errors import PagesMovedError
from waybill.subject_access.models import Part


def redactions_of(marks: Redactions, service: str) -> Sequence[Redaction]:
    """Return the rules that the part of a service is drawn with: by path in its own answer, by text in every one."""
    told = {value: f"values[{number}]" for number, value in enumerate(marks.values)}
    return [one for value in marks.of_service(service) for one in _rules(value, service, told[value])]


def _rules(value: MarkedValue, service: str, mark: str) -> Sequence[Redaction]:
    common = (value.reason, value.everywhere, value.kind, value.given_name, value.exemption)
    by_path = [Redaction(value.path, *common, mark=mark)] if value.path and value.service == service else []
    # By its path a value counts for its own part already; what its field says of it counts for the others.
    small = all(is_small_name(name, least=1) for text in value.texts for name in people(text, small=True))
    person = not value.kind and names_person(value.path) and small
    told = (value.reason, value.everywhere, "name" if person else value.kind, value.given_name, value.exemption)
    by_text = [Redaction("", *told, texts=value.texts, mark=mark)] if value.texts and not by_path else []
    return by_path + by_text


def hidden_attachments(marks: Redactions, service: str) -> Mapping[int, str]:
    """Return what is printed in place of a service's attachments, by number."""
    return {one.number: redacted_as(one.reason, one.exemption) for one in marks.attachments if one.service == service}


def hidden_pages(marks: Redactions, part: Part) -> Mapping[int, str]:
    """Return what is printed in place of pages of a part.

    Raises
    ------
    PagesMovedError
        They were marked on another drawing of the part.
    """
    pages = [one for one in marks.pages if one.service == part.service]
    if any(one.layout != marks.layout(part) for one in pages):
        raise PagesMovedError("pages were marked on another drawing of this part: mark them again")
    return {one.page: redacted_as(one.reason, one.exemption) for one in pages}
