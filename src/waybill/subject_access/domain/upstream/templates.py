"""A service's template must be one that was registered: nobody changes what a report shows without a review."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from waybill.core.notifications import Notification, Notifier
from waybill.subject_access import WORKFLOW
from waybill.subject_access.domain.inline_pictures import HELPER
from waybill.subject_access.domain.keys import template_key
from waybill.subject_access.domain.ports import Catalogue
from waybill.subject_access.domain.upstream.answers import PATH, accept, refuse_encoding
from waybill.subject_access.domain.upstream.codes import Code
from waybill.subject_access.domain.upstream.errors import ServiceError
from waybill.subject_access.domain.upstream.models import Limits, TemplateChoice
from waybill.subject_access.domain.upstream.ports import Parts, Reply, TemplateHealth, Web
from waybill.subject_access.service_models import Service, TemplateVersion

TEMPLATE_PATH = f"{PATH}/template"
# These say something about the template; others, such as a time-out, about the service.
UNHEALTHY = frozenset({Code.TEMPLATE_MISMATCH, Code.TEMPLATE_EMPTY, Code.TEMPLATE_NOT_FOUND, Code.TEMPLATE_UNREADABLE})


@dataclass(frozen=True)
class Templates:
    """Fetches templates and compares them with what is registered."""

    web: Web
    catalogue: Catalogue
    parts: Parts
    health: TemplateHealth
    notifier: Notifier
    limits: Limits

    def fetch(self, service: Service, headers: Mapping[str, str], by: float, now: datetime) -> TemplateChoice:
        """Return the template that the service has, which is registered; a pending version becomes the published one.

        Raises
        ------
        TransientServiceError
            The service may answer later.
        ServiceError
            There is none, or it is not registered.
        """
        sent = {"Accept": "text/plain, */*;q=0.1", **headers}
        with self.web.get(f"{service.url}{TEMPLATE_PATH}", parameters={}, headers=sent, deadline=by) as reply:
            if reply.status in {204, 404}:
                raise ServiceError(Code.TEMPLATE_NOT_FOUND, "the service has no template", reply.status)
            accept(reply, now)
            text = self._text(reply)
        text_hash = hashlib.sha256(text).hexdigest()
        version = registered(self.catalogue.template_versions(service.name), text_hash)
        if version is None:
            raise ServiceError(Code.TEMPLATE_MISMATCH, f"its template {text_hash[:12]}… is not registered", 200)
        self.parts.put(template_key(text_hash), iter((text,)), content_type="text/plain; charset=utf-8")
        if version.status == "PENDING":
            self.catalogue.publish_template(service.name, version.version)
        return TemplateChoice(template_key(text_hash), version.version, HELPER.encode() in text)

    def judge(self, service: str, code: Code | None, now: datetime) -> None:
        """Remember how the template of `service` was found, `code` None being well; tell people once when it is not."""
        if code is None:
            self.health.healthy(service, now)
        elif self.health.unhealthy(service, code, now):
            # Told before that is remembered: who dies in between tells twice, under the same id, instead of never.
            self.notifier.notify(_notification(service, code, now))
            self.health.told(service, now)

    def _text(self, reply: Reply) -> bytes:
        refuse_encoding(reply)
        text = b"".join(_limited(reply.chunks, self.limits.template_bytes))
        if not text.strip():
            raise ServiceError(Code.TEMPLATE_EMPTY, "the template is empty", 200)
        try:
            text.decode()
        except UnicodeDecodeError:
            raise ServiceError(Code.TEMPLATE_UNREADABLE, "the template is not UTF-8", 200) from None
        return text


def registered(versions: list[TemplateVersion], text_hash: str) -> TemplateVersion | None:
    """Return the version with this hash that may be used: the published one, or the newest pending one.

    Of several published versions the newest counts: a text that was replaced is not valid any more.
    """
    newest = sorted(versions, key=lambda each: each.version, reverse=True)
    published = next((each for each in newest if each.status == "PUBLISHED"), None)
    if published is not None and published.file_hash == text_hash:
        return published
    newer = (each for each in newest if each.status == "PENDING")
    return next((each for each in newer if each.file_hash == text_hash), None)


def _limited(chunks: Iterator[bytes], limit: int) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise ServiceError(Code.TEMPLATE_UNREADABLE, f"the template is larger than {limit} bytes", 200)
        yield chunk


def _notification(service: str, code: Code, now: datetime) -> Notification:
    return Notification(
        workflow=WORKFLOW,
        status="TEMPLATE_UNHEALTHY",
        about=service,
        subject=f"Template of {service} refused",
        body=f"The report template of the service {service} is refused ({code}): no report with data of this service"
        " can be made. Register the version that it has now, or have the registered one restored.",
        notification_id=f"template-{service}-{code}-{now:%Y%m%d}",
    )
