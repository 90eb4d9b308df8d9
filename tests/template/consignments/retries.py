"""In which ways the states of the consignment checks try again."""

from tests.template.support.retries import NOTIFICATION, PATIENT, STORED, TWICE_MORE, Retries, own

DYNAMODB = own(
    STORED,
    "DynamoDB.ProvisionedThroughputExceededException",
    "DynamoDB.RequestLimitExceededException",
    "DynamoDB.InternalServerErrorException",
    "DynamoDB.ThrottlingException",
    "DynamoDB.AmazonDynamoDBException",
    "DynamoDB.SdkClientException",
)
CONSIGNMENTS, RUN_BUCKET = "ConsignmentsUnavailableError", "RunBucketUnavailableError"

USES: dict[str, dict[tuple[str, ...], Retries]] = {
    "consignments GetFiles": PATIENT | TWICE_MORE | own(STORED, CONSIGNMENTS, RUN_BUCKET),
    "consignments ProcessMapResults": PATIENT | TWICE_MORE | own(STORED, RUN_BUCKET),
    "consignments RedactedFiles": PATIENT | TWICE_MORE | own(STORED, RUN_BUCKET),
    "consignments GenerateStatuses": PATIENT | TWICE_MORE | own(STORED, RUN_BUCKET),
    "consignments UpdateConsignment": PATIENT | TWICE_MORE | own(STORED, CONSIGNMENTS, RUN_BUCKET),
    "consignments NotifyProblems": PATIENT | TWICE_MORE | own(STORED, CONSIGNMENTS, NOTIFICATION),
    "consignments RecordFailure": PATIENT | TWICE_MORE | own(STORED, CONSIGNMENTS),
    "consignments CheckFiles": PATIENT | TWICE_MORE | own(STORED, "ChecksUnavailableError", RUN_BUCKET),
    "consignments RecordProgress": DYNAMODB,
    "consignments CopyFiles": PATIENT | TWICE_MORE | own(STORED, CONSIGNMENTS, RUN_BUCKET),
}
