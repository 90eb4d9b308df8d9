"""Requests as the benchmarks store them."""

from datetime import date, datetime

from waybill.subject_access.models import RequestState, SubjectRequest


def bench_request(request_id: str, at: datetime) -> SubjectRequest:
    """Return a request that is created at this moment."""
    return SubjectRequest(
        request_id=request_id,
        state=RequestState.PENDING,
        date_from=None,
        date_to=date(2024, 12, 31),
        sar_case_reference_number="BENCH",
        nomis_id="A1234AA",
        ndelius_id=None,
        requested_by="bench",
        requested_at=at,
        created_at=at,
        received=at.date(),
    )
