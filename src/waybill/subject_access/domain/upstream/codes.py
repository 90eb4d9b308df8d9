"""The error codes of the upstream side: `<component>_<number>`, stable, for support staff.

The numbers 3001 to 3003 are those that the services' owners know from the template registry.
"""

from enum import StrEnum


class Code(StrEnum):
    """Why a part has no data; `README.md` says what to do about each."""

    TEMPLATE_MISMATCH = "template_3001"
    TEMPLATE_EMPTY = "template_3002"
    TEMPLATE_NOT_FOUND = "template_3003"
    TEMPLATE_UNREADABLE = "template_3004"

    REFUSED_BY_SERVICE = "upstream_4001"
    SERVICE_FAILED = "upstream_4002"
    TIMED_OUT = "upstream_4003"
    UNREACHABLE = "upstream_4004"
    REDIRECTED = "upstream_4005"
    UNEXPECTED_STATUS = "upstream_4006"
    WRONG_TYPE = "upstream_4007"
    MALFORMED = "upstream_4008"
    TOO_LARGE = "upstream_4009"
    ADDRESS_REFUSED = "upstream_4010"
    RATE_LIMITED = "upstream_4011"
    CIRCUIT_OPEN = "upstream_4012"
    CREDENTIALS = "upstream_4013"
    SUSPENDED = "upstream_4015"
    BROKE_OFF = "upstream_4016"
    NOT_CONFIGURED = "upstream_4017"
    OTHER_ORIGIN = "upstream_4018"

    ATTACHMENT_SIZE = "attachment_5001"
    ATTACHMENT_WITHOUT_LENGTH = "attachment_5002"
    ATTACHMENT_LIST = "attachment_5003"
    ATTACHMENT_FAILED = "attachment_5004"
    ATTACHMENT_TOO_LARGE = "attachment_5005"
    ATTACHMENT_ADDRESS = "attachment_5006"
