"""Names of buckets that are this run's alone: all accounts of the world share them."""

import uuid

RUN = uuid.uuid4().hex[:12]

MISSING = f"waybill-tests-missing-{RUN}"
FOREIGN = f"waybill-tests-foreign-{RUN}"
FURTHER = f"waybill-tests-{RUN}-"
