"""What a deployment without any parameter takes of the account, beside what it makes."""

import json

from scripts.deployment import Deployment
from scripts.template import readable_list
from tests.template.support.rules import every
from tests.template.support.stack import FUNCTION, Stack, names

READING = {"s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "s3:ListBucketVersions"}
# What whoever may scan must not learn: reports about people, files that may hold malware, what is not accepted yet.
CLOSED_TO_SCANS = {
    "SubjectAccessReportsBucket",
    "ConsignmentQuarantineBucket",
    "ConsignmentUploadBucket",
    "CustodyLog",
}


def bucket_of(resource: str) -> str:
    """The bucket, or the pattern of buckets, of an ARN or of what `!GetAtt` gives for one."""
    return resource.rpartition(":")[2].partition("/")[0].removesuffix(".Arn")


def readers(stack: Stack, deployment: Deployment) -> dict[str, set[str]]:
    """Which packages' functions may read each bucket."""
    policies = deployment.of_type("AWS::IAM::ManagedPolicy")
    found: dict[str, set[str]] = {}
    for function in names(FUNCTION):
        package = stack[function]["Handler"].split(".")[1]
        role = deployment.resources[f"{function}Role"]["Properties"]
        documents = [one["PolicyDocument"] for one in role.get("Policies", [])]
        documents += [policies[arn]["PolicyDocument"] for arn in role["ManagedPolicyArns"] if arn in policies]
        for statement in (one for document in documents for one in document["Statement"]):
            if statement["Effect"] == "Allow" and READING & set(readable_list(statement["Action"])):
                for resource in readable_list(statement["Resource"]):
                    found.setdefault(bucket_of(resource), set()).add(package)
    return found


def test_the_role_of_all_apis_is_left_alone(stack: Stack) -> None:
    """ "Only one AWS::ApiGateway::Account per Region and account" (CloudFormation, AWS::ApiGateway::Account)."""
    deployment = Deployment(stack.template)
    assert deployment.of_type("AWS::ApiGateway::Account") == {}
    (stage,) = deployment.of_type("AWS::ApiGateway::Stage").values()
    # Without a role, "CloudWatch Logs role ARN must be set in account settings to enable logging".
    assert "AccessLogSetting" not in stage


BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"


@every(("given", "bounded"), [({}, False), ({"PermissionsBoundaryArn": BOUNDARY}, True)])
def test_every_role_is_bounded_where_there_is_a_boundary(stack: Stack, given: dict[str, str], bounded: bool) -> None:
    """IAM user guide, "Permissions boundaries for IAM entities": an organisation may refuse roles without one."""
    roles = Deployment(stack.template, ApiAccessLogs="new-role", **given).of_type("AWS::IAM::Role")
    expected = BOUNDARY if bounded else None
    assert {name for name, role in roles.items() if role.get("PermissionsBoundary") != expected} == set()


def test_every_role_that_any_parameter_makes_can_be_bounded(stack: Stack) -> None:
    bounded = {"Fn::If": ["Bounded", {"Ref": "PermissionsBoundaryArn"}, {"Ref": "AWS::NoValue"}]}
    roles = stack.of_type("AWS::IAM::Role")
    assert {name for name, role in roles.items() if role.get("PermissionsBoundary") != bounded} == set()


def test_a_function_is_reached_through_the_api_alone(stack: Stack) -> None:
    """A function's own address has no token to verify (Lambda developer guide, "Control access to function URLs")."""
    assert stack.of_type("AWS::Lambda::Url") == {}


def test_what_costs_or_looks_at_requests_is_made_on_request_alone(stack: Stack) -> None:
    optional = ("AWS::Budgets::Budget", "AWS::WAFv2::WebACLAssociation")
    plain = Deployment(stack.template, AlertEmail="team@example.org")
    assert [plain.of_type(kind) for kind in optional] == [{}, {}]
    acl = "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/a/b"
    asked = Deployment(stack.template, AlertEmail="team@example.org", MonthlyBudget="200", WebAclArn=acl)
    (budget,) = asked.of_type("AWS::Budgets::Budget").values()
    assert budget["Budget"]["BudgetLimit"] == {"Amount": "200", "Unit": "USD"}
    (association,) = asked.of_type("AWS::WAFv2::WebACLAssociation").values()
    # AWS WAF, AssociateWebACL: "arn:partition:apigateway:region::/restapis/api-id/stages/stage-name".
    assert association["ResourceArn"] == "arn:aws:apigateway:eu-west-1::/restapis/Api/stages/ApiStage"
    assert association["WebACLArn"] == acl


def test_the_api_has_a_name_of_its_own_on_request_alone(stack: Stack) -> None:
    """API Gateway developer guide, "Custom domain name for public REST APIs"."""
    kinds = ("AWS::ApiGateway::DomainName", "AWS::ApiGateway::BasePathMapping")
    assert [Deployment(stack.template).of_type(kind) for kind in kinds] == [{}, {}]
    certificate = "arn:aws:acm:eu-west-1:123456789012:certificate/a"
    asked = Deployment(stack.template, ApiDomainName="waybill.example.org", ApiCertificateArn=certificate)
    (domain,), (mapping,) = (list(asked.of_type(kind).values()) for kind in kinds)
    assert (domain["DomainName"], domain["RegionalCertificateArn"]) == ("waybill.example.org", certificate)
    # API Gateway developer guide, "Choosing a minimum TLS version": TLS_1_0 is the other.
    assert domain["SecurityPolicy"] == "TLS_1_2"
    assert domain["EndpointConfiguration"]["Types"] == [stack["Api"]["EndpointConfiguration"]["Types"][0]]
    assert mapping == {"DomainName": "ApiDomain", "RestApiId": "Api", "Stage": "ApiStage"}
    url = stack.template["Outputs"]["ApiUrl"]["Value"]
    assert asked.value(url) == "https://waybill.example.org"
    assert Deployment(stack.template).value(url).endswith(".amazonaws.com/prod")


SUBNET, GROUP = "subnet-0a", "sg-0a"
SIGN_IN = {
    "AuthIssuer": "https://id.example.org",
    "AuthAudience": "waybill",
    "AuthJwksUrl": "https://id.example.org/jwks",
}


@every(
    ("given", "refused"),
    [
        ({}, []),
        (SIGN_IN, []),
        (SIGN_IN | {"ConsoleClientId": "console", "ConsoleUrl": "https://waybill.example.org/console"}, []),
        ({"ApiDomainName": "waybill.example.org"}, ["ApiDomainName needs ApiCertificateArn"]),
        ({"ApiCertificateArn": "arn:aws:acm:x"}, ["ApiCertificateArn is of no use without ApiDomainName"]),
        (SIGN_IN | {"ConsoleClientId": "console"}, ["ConsoleClientId needs ConsoleUrl"]),
        (SIGN_IN | {"ConsoleUrl": "https://a.example"}, ["ConsoleUrl and ConsoleClientSecretArn need ConsoleClientId"]),
        (
            {"ConsoleClientId": "console", "ConsoleUrl": "https://a.example"},
            ["ConsoleClientId needs AuthIssuer"],
        ),
        ({"AuthIssuer": "https://a"}, ["AuthIssuer needs AuthAudience", "AuthIssuer needs AuthJwksUrl or AuthJwks"]),
        ({"PrivateSubnetIds": SUBNET}, ["PrivateSubnetIds needs PrivateSecurityGroupIds"]),
        ({"PrivateSubnetIds": SUBNET, "PrivateSecurityGroupIds": GROUP}, []),
        ({"MonthlyBudget": "50"}, ["MonthlyBudget needs AlertEmail"]),
        ({"MonthlyBudget": "50", "AlertEmail": "team@example.org"}, []),
    ],
)
def test_parameters_that_need_another_are_refused_before_anything_is_made(
    stack: Stack, given: dict[str, str], refused: list[str]
) -> None:
    """CloudFormation validates rules before it makes a stack (user guide, "Rules")."""
    deployment = Deployment(stack.template, **given)
    rules = stack.template["Rules"].values()
    broken = [
        assertion["AssertDescription"]
        for rule in rules
        if deployment.holds(rule["RuleCondition"])
        for assertion in rule["Assertions"]
        if not deployment.holds(assertion["Assert"])
    ]
    assert broken == refused


@every(("given", "told"), [({}, False), ({"SecurityHub": "true"}, True)])
def test_security_hub_may_be_told_where_it_is_to_be_told(stack: Stack, given: dict[str, str], told: bool) -> None:
    roles = Deployment(stack.template, **given).of_type("AWS::IAM::Role")
    assert ("securityhub:BatchImportFindings" in json.dumps(roles)) == told


@every("choice", ["existing-role", "new-role"])
def test_access_logs_are_a_choice(stack: Stack, choice: str) -> None:
    deployment = Deployment(stack.template, ApiAccessLogs=choice)
    assert bool(deployment.of_type("AWS::ApiGateway::Account")) == (choice == "new-role")
    (stage,) = deployment.of_type("AWS::ApiGateway::Stage").values()
    assert stage["AccessLogSetting"]["DestinationArn"].endswith(":log-group:ApiAccessLogGroup")


def test_a_bucket_is_read_by_its_own_workflow_alone(stack: Stack) -> None:
    """ "Grant least privilege" (IAM user guide, "Security best practices in IAM")."""
    found = readers(stack, Deployment(stack.template))
    buckets = stack.of_type("AWS::S3::Bucket")
    assert {bucket: packages for bucket, packages in found.items() if bucket not in buckets or len(packages) > 1} == {}


def test_scans_of_every_bucket_leave_out_what_they_must_not_see(stack: Stack) -> None:
    deployment = Deployment(stack.template, ScanBuckets="*")
    assert readers(stack, deployment)["*"] == {"scanning"}
    for name, policy in deployment.of_type("AWS::IAM::ManagedPolicy").items():
        statements = policy["PolicyDocument"]["Statement"]
        if any(one["Effect"] == "Allow" and one["Resource"] == ["arn:*:s3:::*/*"] for one in statements):
            denied = [one for one in statements if one["Effect"] == "Deny"]
            for action in ("s3:GetObject", "s3:ListBucket"):
                closed = {bucket_of(each) for one in denied if action in one["Action"] for each in one["Resource"]}
                assert closed == CLOSED_TO_SCANS, (name, action)
            assert {each for one in denied for each in one["Resource"]} == {
                each for bucket in CLOSED_TO_SCANS for each in (f"{bucket}.Arn", f"{bucket}.Arn/*")
            }
