"""What a scan may ask for: held against every request, by whichever door it comes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from waybill.core.errors import FieldError, InvalidInputError
from waybill.scanning.domain.own_detectors import NO_DETECTOR, OwnDetector
from waybill.scanning.request_models import ScanRequest


class _OwnDetectors(Protocol):
    def listed(self) -> Sequence[OwnDetector]: ...


@dataclass(frozen=True)
class Admission:
    """Refuses what cannot be done; `own` are the stack's own detectors, `private_webhooks` that they may be called."""

    own: _OwnDetectors
    private_webhooks: bool

    def check(self, request: ScanRequest) -> None:
        """Raise InvalidInputError, which names each field that cannot be."""
        wrong = [*self._names(request), *self._regions(request)]
        if request.webhook_url and not request.webhook_url.startswith("https:") and not self.private_webhooks:
            wrong.append(FieldError("webhook_url", "must be an https address"))
        if wrong:
            raise InvalidInputError(*wrong)

    def _names(self, request: ScanRequest) -> list[FieldError]:
        if not request.detectors:
            return []
        from waybill.scanning.domain.detection.rules import detectors

        known = {detector.id for detector in detectors()} | {each.id for each in self.own.listed() if each.finds}
        return _unknown("detectors", request.detectors, known, NO_DETECTOR)

    def _regions(self, request: ScanRequest) -> list[FieldError]:
        if not request.regions:
            return []
        from waybill.scanning.domain.detection.validators.telephone import regions_known

        return _unknown("regions", request.regions, regions_known(), "is not a region with telephone numbers")


def _unknown(field: str, names: Sequence[str], known: Collection[str], message: str) -> list[FieldError]:
    return [FieldError(f"{field}[{index}]", message) for index, name in enumerate(names) if name not in known]
