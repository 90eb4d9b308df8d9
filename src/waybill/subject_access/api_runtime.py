"""What only the API needs: answers with deadlines, and so the calendar of public holidays."""

from waybill.core.clock import now
from waybill.subject_access import runtime
from waybill.subject_access.domain.answers import Answers
from waybill.subject_access.domain.letters import Letters


def answers() -> Answers:
    """Return what builds answers, as of now."""
    # Not at the top: the function that describes all APIs has no layer for the calendar.
    from waybill.subject_access.domain.bank_holidays import england_and_wales

    return Answers(now(), england_and_wales())


def letters() -> Letters:
    """Return what writes letters."""
    # Not at the top: only this draws, and the function that describes all APIs has no layer for that.
    from waybill.subject_access.domain.report.letters import draw_letter

    return Letters(runtime.store(), answers, draw_letter, now)
