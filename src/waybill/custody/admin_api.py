"""The HTTP route that takes names out of the history, for a role of its own."""

from waybill.core.api import Role, build_api, caller, fails
from waybill.custody import WORKFLOW, runtime
from waybill.custody.models import Place
from waybill.custody.views import ErasureBody, ErasureView, PlaceView

app = build_api(
    WORKFLOW,
    title="Custody administration",
    description="Takes the names of files out of the history, for good; who may trace them may not.",
    roles=[Role.CUSTODY_ADMIN],
)


@app.post("/custody/erasures", summary="Erase the names of a file", operation_id="eraseNames")
@fails({404: "Nothing is recorded of it, or its names were erased already; or too many files share its history"})
def erase(body: ErasureBody) -> ErasureView:
    """Take the names of a file and of every copy of it out of the history; what was sealed still verifies.

    One that was interrupted goes on where it was, by the same request for any of its places.
    """
    place = Place(body.bucket, body.key)
    if body.dry_run:
        places = runtime.eraser().places_of(place)
    else:
        places = runtime.eraser().erase(place, by=caller(app).subject, reason=body.reason)
    return ErasureView(erased=not body.dry_run, places=[PlaceView.of_place(each) for each in places])
