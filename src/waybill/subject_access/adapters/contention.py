"""What becomes of a write that others were faster than: it is tried again, after a random pause."""

from waybill.core.retry import Retry

CONTENTION = Retry(tries=12, first_pause=0.025, longest_pause=0.4)
"""A request has few writers at a time: five services, a heartbeat, somebody who looks at it."""
