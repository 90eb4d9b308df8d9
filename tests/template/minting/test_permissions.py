"""What the functions and the workflow of the ID minter may do. Nobody may change or delete an identifier."""

from tests.template.support.rules import every
from tests.template.support.stack import Stack

type Permission = tuple[str, str]


def on(place: str, *actions: str) -> set[Permission]:
    return {(action, place) for action in actions}


TABLE = "IdentifiersTable"
MINT = on(TABLE, "dynamodb:BatchGetItem", "dynamodb:ConditionCheckItem", "dynamodb:PutItem")
READ = on(TABLE, "dynamodb:GetItem")
DOCUMENTS = (
    on("upstream/*", "s3:GetObject") | on("downstream/*", "s3:PutObject") | on("DocumentsBucket", "s3:ListBucket")
)

EXPECTED: dict[str, set[Permission]] = {
    "IdMinterFunction": MINT | READ | DOCUMENTS,
    "MintingApiFunction": MINT
    | READ
    | DOCUMENTS
    | on(f"{TABLE}/index/ByAlias", "dynamodb:Query")
    | on(TABLE, "dynamodb:Scan")
    | on("stateMachine:<stack>-minting", "states:ListExecutions")
    | on("execution:<stack>-minting:*", "states:DescribeExecution"),
    "MintingQueueFunction": MINT
    | DOCUMENTS
    | on("MintingResultQueue", "sqs:SendMessage")
    | on("minting/failures/*", "s3:PutObject")
    | on("FailureTopic", "sns:Publish"),
    "PlanMintingFunction": on("*", "s3:GetObject")
    | on("DocumentsBucket", "s3:ListBucket")
    | on("minting/*", "s3:PutObject", "s3:AbortMultipartUpload"),
    "MintChunkFunction": MINT | DOCUMENTS | on("minting/*", "s3:GetObject", "s3:PutObject"),
    "SummariseMintingFunction": on("minting/*", "s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload")
    | on("DocumentsBucket", "s3:ListBucket"),
    "IdMinterWorkflow": {
        *(
            ("lambda:InvokeFunction", f"{name}Function")
            for name in ("IdMinter", "PlanMinting", "MintChunk", "SummariseMinting")
        ),
        ("states:StartExecution", "stateMachine:<stack>-minting"),
        ("states:DescribeExecution", "execution:<stack>-minting/*"),
        ("states:StopExecution", "execution:<stack>-minting/*"),
        ("states:RedriveExecution", "execution:<stack>-minting/*"),
        ("s3:GetObject", "minting/*"),
    },
}


def place_of(resource: str) -> str:
    """What a resource is to the minter: a prefix of its bucket, a state machine, or the resource's name."""
    if resource.startswith("arn:aws:s3:::"):
        bucket, _, prefix = resource.removeprefix("arn:aws:s3:::").partition("/")
        assert bucket == "<DocumentsBucket>"
        return prefix or "DocumentsBucket"
    if resource.startswith("arn:aws:states:"):
        return resource.split(":", 5)[5]
    return resource.removesuffix(".Arn").replace("<IdentifiersTable.Arn>", TABLE)


@every("name", EXPECTED)
def test_it_may_do_this_and_nothing_else(stack: Stack, name: str) -> None:
    grants = [grant for grant in stack.grants(f"{name}Role") if not grant.resource.startswith("arn:aws:kms")]
    assert {(grant.action, place_of(grant.resource)) for grant in grants if grant.resource != "*"} == EXPECTED[name]


def test_every_function_of_the_minter_is_listed(stack: Stack) -> None:
    functions = {name for name, one in stack.of_type("AWS::Lambda::Function").items() if ".minting." in one["Handler"]}
    assert functions == {name for name in EXPECTED if name.endswith("Function")}


def test_nobody_in_the_stack_may_change_or_delete_an_identifier(stack: Stack) -> None:
    roles = stack.of_type("AWS::IAM::Role")
    grants = [grant for role in roles for grant in stack.grants(role) if TABLE in grant.resource]
    assert {grant.action for grant in grants} == {
        "dynamodb:BatchGetItem",
        "dynamodb:ConditionCheckItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:Scan",
    }


def test_only_the_workflow_runs_its_states_anywhere(stack: Stack) -> None:
    anywhere = {grant.action for grant in stack.grants("IdMinterWorkflowRole") if grant.resource == "*"}
    assert {action.partition(":")[0] for action in anywhere} == {"logs", "xray"}
