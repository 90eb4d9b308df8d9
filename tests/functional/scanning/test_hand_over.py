"""Hand-overs: the listing workflow as it is defined, run on the lister, with as many keys as a test has time for."""

import pytest

from benchmarks.scanning.handing_over import Listing
from waybill.scanning.models import Status


def test_two_million_keys_are_handed_over_and_no_history_is_full() -> None:
    # The same proportions as forty million keys at the limit of 1,000 loops, which the benchmark goes through.
    listing = Listing(keys=2_000_000, loop_limit=50)
    listing.run()
    assert list(listing.ended) == [f"scan-job-{generation}" for generation in range(1, 5)]
    assert {execution.entered[-1] for execution in listing.ended.values()} == {"HandedOver", "JobComplete"}
    assert [execution.entered.count("ProcessBatch") for execution in listing.ended.values()] == [50, 50, 50, 50]
    assert max(execution.events for execution in listing.ended.values()) < 8 * 50
    job = listing.jobs.stored
    assert (job.total, job.status, listing.queue.objects, listing.queue.messages) == (
        2_000_000,
        Status.PROCESSING,
        2_000_000,
        20_000,
    )


@pytest.mark.parametrize("successor_ends_first", [False, True])
@pytest.mark.parametrize("lost", [1, 3])
def test_a_repeated_hand_over_has_one_successor(lost: int, successor_ends_first: bool) -> None:
    listing = Listing(61_000, loop_limit=3, lost=lost, successor_ends_first=successor_ends_first)
    listing.run()
    assert len(listing.asked) > len(set(listing.asked))
    assert set(listing.ended) == {"scan-job-1", "scan-job-2", "scan-job-3"}
    assert {execution.entered[-1] for execution in listing.ended.values()} == {"HandedOver", "JobComplete"}
    assert (listing.jobs.stored.total, listing.queue.objects) == (61_000, 61_000)
