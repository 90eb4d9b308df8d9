"""Every function of replication may do what its code calls, and nothing else."""

from collections.abc import Callable

from scripts.template import load_template
from tests.template.support.code import Code, boto3_operations
from tests.template.support.routes import routes_of
from tests.template.support.rules import every
from tests.template.support.stack import FUNCTION, Grant, Stack, names
from waybill.replication.adapters.backfill_table import BackfillTable
from waybill.replication.adapters.report_object import put_report
from waybill.replication.adapters.s3 import S3Buckets
from waybill.replication.adapters.table import TrackingTable
from waybill.replication.adapters.verification_table import VerificationTable

SOURCES = ("<SourceBucket>", "<AdditionalSourceBuckets>")
DESTINATIONS = ("<DestinationBucketA>", "<DestinationBucketB>", "<AdditionalDestinationBuckets>")

type Permission = tuple[str, str]


def on(place: str, *actions: str) -> set[Permission]:
    return {(action, place) for action in actions}


REGION = on("any bucket", "s3:GetBucketLocation")
READ = on("source object", "s3:GetObject", "s3:GetObjectVersion") | on("key", "kms:Decrypt")
READ_TAGS = on("source object", "s3:GetObjectTagging", "s3:GetObjectVersionTagging")
# HeadObject shows the number of tags, retention and legal hold to those who may read them.
SEE_ALL = READ | READ_TAGS | on("source object", "s3:GetObjectRetention", "s3:GetObjectLegalHold")
SEE_ALL_OF_COPIES = on(
    "destination object", "s3:GetObject", "s3:GetObjectTagging", "s3:GetObjectRetention", "s3:GetObjectLegalHold"
)
TELL_MISSING_SOURCE = on("source bucket", "s3:ListBucket")
WRITE = on("destination object", "s3:PutObject") | on("key", "kms:GenerateDataKey")
SET_ATTRIBUTES = on(
    "destination object", "s3:PutObjectTagging", "s3:PutObjectAcl", "s3:PutObjectRetention", "s3:PutObjectLegalHold"
)

# What S3 asks for each of our calls (Amazon S3 user guide, "Required permissions for Amazon S3 API operations").
S3_METHODS: dict[str, set[Permission]] = {
    "_region": REGION,
    "describe_source": SEE_ALL | TELL_MISSING_SOURCE,
    "_explained": READ | TELL_MISSING_SOURCE,
    "_part_size": READ,
    "sha256": READ | on("destination object", "s3:GetObject"),
    "list_objects": TELL_MISSING_SOURCE | on("destination bucket", "s3:ListBucket"),
    "_is_watched": on("destination bucket", "s3:GetBucketNotification"),
    "headers": READ,
    "tags": READ_TAGS | on("destination object", "s3:GetObjectTagging"),
    "put_tags": on("destination object", "s3:PutObjectTagging"),
    "remove": on("destination object", "s3:DeleteObject"),
    "_has_versioning": on("destination bucket", "s3:GetBucketVersioning"),
    "versions": on("source bucket", "s3:ListBucketVersions"),
    "_versions_below": on("source bucket", "s3:ListBucketVersions"),
    "_head": SEE_ALL_OF_COPIES | on("destination bucket", "s3:ListBucket") | on("key", "kms:Decrypt"),
    "copy": READ | READ_TAGS | WRITE | SET_ATTRIBUTES,
    "create_upload": WRITE | SET_ATTRIBUTES,
    "copy_part": READ | WRITE,
    "complete_upload": WRITE | on("key", "kms:Decrypt"),
    "parts": on("destination object", "s3:ListMultipartUploadParts"),
    "abort_upload": on("destination object", "s3:AbortMultipartUpload"),
    "put_report": on("report object", "s3:PutObject"),
    "open_uploads": on("destination bucket", "s3:ListBucketMultipartUploads"),
}
# The other services' actions are named as their operations, but for these.
OPERATIONS: dict[str, set[Permission]] = {
    "start_execution": on("workflow", "states:StartExecution"),
    "describe_execution": on("execution", "states:DescribeExecution"),
    "publish": on("topic", "sns:Publish"),
    "put_events": on("bus", "events:PutEvents"),
}
# What the items of a transaction do.
TRANSACTED = {
    "transact_put": on("table", "dynamodb:PutItem"),
    "transact_update": on("table", "dynamodb:UpdateItem"),
    "transact_delete": on("table", "dynamodb:DeleteItem"),
    "transact_condition_check": on("table", "dynamodb:ConditionCheckItem"),
}
# The functions that copy share their policies: what one of them has besides what it calls. Whoever may write an object
# may ruin it, so policies of their own would guard little and be more to get wrong.
SHARED: dict[str, set[Permission]] = {
    "CopyPartBatchFunction": SEE_ALL - READ
    | TELL_MISSING_SOURCE
    | SET_ATTRIBUTES
    | SEE_ALL_OF_COPIES
    | on("destination object", "s3:AbortMultipartUpload", "s3:DeleteObject")
    | on("destination bucket", "s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:GetBucketNotification")
    | on("destination bucket", "s3:GetBucketVersioning"),
    "CompleteMultipartCopyFunction": on("destination bucket", "s3:ListBucketMultipartUploads"),
    # It finds sources as it finds copies.
    "WorkOnJobFunction": on("source object", "s3:GetObjectRetention", "s3:GetObjectLegalHold"),
}

_PACKAGES = ("waybill.replication.", "waybill.core.")
_RESOURCES = load_template()["Resources"]
FUNCTIONS = [name for name in names(FUNCTION) if _RESOURCES[name]["Properties"]["Handler"].startswith(_PACKAGES)]


def place_of(grant: Grant) -> str:
    """Return what the resource of a grant is to replication."""
    resource = grant.resource
    for kind, buckets in (("source", SOURCES), ("destination", DESTINATIONS)):
        for bucket in buckets:
            if resource.removeprefix("arn:aws:").removeprefix("arn:*:").startswith(f"s3:::{bucket}"):
                return f"{kind} object" if resource.endswith("/*") else f"{kind} bucket"
    if resource.startswith("arn:aws:s3:::<BackfillReportBucket>"):
        return "report object"
    if resource.startswith("arn:aws:states:"):
        return resource.split(":")[5].replace("stateMachine", "workflow")
    if resource.startswith("arn:aws:events:"):
        return resource.split(":")[5].partition("/")[0].removeprefix("event-")
    return {
        "arn:aws:s3:::*": "any bucket",
        "FileCopyTrackingTable": "table",
        "<FileCopyTrackingTable.Arn>/index/ByStatus": "index",
        "FailureTopic": "topic",
        "<AdditionalKeyArns>": "key",
    }[resource]


def needed(code: Code, stack: Stack, function: str) -> set[Permission]:
    found: set[Permission] = set()
    reach = code.reach(stack[function]["Handler"], routes_of(stack, function))
    for caller, operation in reach.operations:
        if operation == "query":
            places: dict[str, list[Callable[..., object]]] = {
                "table": [TrackingTable._query, BackfillTable.notice, VerificationTable.has_other_source],
                "index": [TrackingTable._partition, BackfillTable.newest, VerificationTable.newest],
            }
            found |= {
                ("dynamodb:Query", place)
                for place, methods in places.items()
                if any(_name_of(method) in reach.names for method in methods)
            }
            continue
        if operation == "transact_write_items":
            found |= {permission for verb in reach.verbs for permission in TRANSACTED[verb]}
            continue
        service, _, name = boto3_operations()[operation].partition(".")
        if service == "s3":
            found |= S3_METHODS[caller.rpartition(".")[2]]
        else:
            found |= OPERATIONS.get(operation) or on("table", f"{service}:{name}")
    return found


def _name_of(method: Callable[..., object]) -> str:
    return f"{method.__module__}.{method.__qualname__}"


def given(stack: Stack, function: str) -> list[Grant]:
    return [grant for grant in stack.grants(f"{function}Role") if not grant.of_lost_events]


@every("function", FUNCTIONS)
def test_a_function_may_do_what_its_code_calls_and_nothing_else(stack: Stack, code: Code, function: str) -> None:
    may = {(grant.action, place_of(grant)) for grant in given(stack, function)}
    needs = needed(code, stack, function)
    assert needs - may == set()
    assert may - needs == SHARED.get(function, set())


def test_the_permissions_of_every_s3_call_are_known() -> None:
    assert set(S3_METHODS) - {put_report.__name__} <= set(vars(S3Buckets))


@every("function", FUNCTIONS)
@every("buckets", [SOURCES, DESTINATIONS])
def test_further_buckets_are_as_those_of_the_stack(stack: Stack, function: str, buckets: tuple[str, ...]) -> None:
    def actions_on(bucket: str) -> set[tuple[str, bool]]:
        return {
            (grant.action, grant.resource.endswith("/*"))
            for grant in given(stack, function)
            if grant.resource.removeprefix("arn:aws:").removeprefix("arn:*:").startswith(f"s3:::{bucket}")
        }

    first, *others = buckets
    assert all(actions_on(other) == actions_on(first) for other in others)


@every("function", FUNCTIONS)
def test_what_is_for_further_buckets_exists_with_them_alone(stack: Stack, function: str) -> None:
    conditions = {"Source": "MoreSources", "Destination": "MoreDestinations", "Key": "MoreKeys"}
    for grant in given(stack, function):
        if place_of(grant) == "report object":
            assert grant.only_with == "WritesReports"
            continue
        wanted = [condition for word, condition in conditions.items() if f"<Additional{word}" in grant.resource]
        assert [grant.only_with] == (wanted or [None])


@every("function", FUNCTIONS)
def test_keys_are_used_through_s3_alone(stack: Stack, function: str) -> None:
    assert {grant.where for grant in given(stack, function) if grant.action.startswith("kms:")} <= {("kms:ViaService",)}


def test_only_the_workflow_runs_its_states(stack: Stack) -> None:
    may = {(grant.action, grant.resource) for grant in stack.grants("FileCopyWorkflowRole") if grant.resource != "*"}
    machines = [
        stack.source["Resources"][name]["Properties"] for name in ("FileCopyWorkflow", "ReplicationJobsWorkflow")
    ]
    substituted = {name for machine in machines for name in machine["DefinitionSubstitutions"]}
    states = {name.removesuffix("Arn") for name in substituted if name.endswith("FunctionArn")}
    # Step Functions developer guide, "IAM policies for using Distributed Map state".
    jobs = "states:<region>:<account>:{}:<stack>-replication-jobs"
    children = {("states:StartExecution", f"arn:aws:{jobs.format('stateMachine')}")} | {
        (f"states:{verb}Execution", f"arn:aws:{jobs.format('execution')}/*") for verb in ("Describe", "Stop", "Redrive")
    }
    assert may == {("lambda:InvokeFunction", function) for function in states} | children


def test_the_workflow_logs_and_traces(stack: Stack) -> None:
    anywhere = {grant.action for grant in stack.grants("FileCopyWorkflowRole") if grant.resource == "*"}
    # Step Functions developer guide, "Logging using CloudWatch Logs" and "X-Ray: IAM policies".
    assert anywhere == {
        *(f"logs:{verb}LogDelivery" for verb in ("Create", "Get", "Update", "Delete")),
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:DescribeResourcePolicies",
        "logs:DescribeLogGroups",
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
    }
