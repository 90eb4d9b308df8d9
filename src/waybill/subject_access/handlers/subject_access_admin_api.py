"""SubjectAccessAdminApiFunction: serves the routes of support and administration, and records what it refuses."""

from waybill.core.api import Event, ProxyResponse
from waybill.core.observability import instrumented
from waybill.subject_access import WORKFLOW
from waybill.subject_access.admin_api import app
from waybill.subject_access.serving import serve


@instrumented(WORKFLOW)
def lambda_handler(event: Event, context: object) -> ProxyResponse:
    """Take an API Gateway proxy event; return its proxy response."""
    return serve(app, event, context)
