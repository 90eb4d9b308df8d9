"""What can go wrong while a bucket is scanned."""

from typing import ClassVar

from waybill.core.errors import PermanentError


class DetectorError(PermanentError):
    """A detector is not of the form that rules.py describes, or does not do what its examples say."""

    code: ClassVar[str] = "DETECTOR_INVALID"
