"""Properties of a template that MiniStack ignores.

- `TimeToLiveSpecification` of a table (CloudFormation, AWS::DynamoDB::Table).
- `ObjectLockEnabled` and `ObjectLockConfiguration` of a bucket (AWS::S3::Bucket). Versioning of such a bucket cannot be
  suspended (Amazon S3 User Guide, "Locking objects with Object Lock": `InvalidBucketState`).
- `DeadLetterConfig` of a function (AWS::Lambda::Function).
- `MaximumConcurrency` of an event source mapping that comes from a parameter: MiniStack compares its text with numbers.
"""

from collections.abc import Callable
from typing import Any

from ministack.services import dynamodb, lambda_svc, s3
from ministack.services.cloudformation import provisioners


def mend() -> None:
    """Do what the properties say, after a resource is created or updated."""
    _follow("AWS::DynamoDB::Table", _set_time_to_live)
    _follow("AWS::S3::Bucket", _lock)
    _follow("AWS::Lambda::Function", _keep_what_fails)
    _count_with_parameters()
    _keep_versioning()


def _keep_what_fails(name: str, properties: dict[str, Any]) -> None:
    lambda_svc._functions[name]["config"]["DeadLetterConfig"] = properties.get("DeadLetterConfig") or {}


def _count_with_parameters() -> None:
    handlers = provisioners._RESOURCE_HANDLERS["AWS::Lambda::EventSourceMapping"]
    create, update = handlers["create"], handlers["update"]

    def create_counting(logical_id: str, properties: Any, *more: Any) -> Any:
        return create(logical_id, _with_number(properties), *more)

    def update_counting(physical_id: str, before: Any, after: Any, *more: Any) -> Any:
        return update(physical_id, before, _with_number(after), *more)

    handlers |= {"create": create_counting, "update": update_counting}


def _with_number(properties: dict[str, Any]) -> dict[str, Any]:
    scaling = properties.get("ScalingConfig") or {}
    if "MaximumConcurrency" not in scaling:
        return properties
    return properties | {"ScalingConfig": scaling | {"MaximumConcurrency": int(scaling["MaximumConcurrency"])}}


def _follow(kind: str, then: Callable[[str, dict[str, Any]], None]) -> None:
    handlers = provisioners._RESOURCE_HANDLERS[kind]
    create, update = handlers["create"], handlers["update"]

    def create_wholly(logical_id: str, properties: Any, *more: Any, **kwargs: Any) -> Any:
        made = create(logical_id, properties, *more, **kwargs)
        then(made[0], properties)
        return made

    def update_wholly(physical_id: str, before: Any, after: Any, *more: Any, **kwargs: Any) -> Any:
        made = update(physical_id, before, after, *more, **kwargs)
        then(made[0], after)
        return made

    handlers |= {"create": create_wholly, "update": update_wholly}


def _set_time_to_live(table: str, properties: dict[str, Any]) -> None:
    wanted = properties.get("TimeToLiveSpecification")
    if wanted:
        enabled = str(wanted.get("Enabled")).lower() == "true"
        dynamodb._update_ttl({"TableName": table, "TimeToLiveSpecification": {**wanted, "Enabled": enabled}})


def _lock(bucket: str, properties: dict[str, Any]) -> None:
    if str(properties.get("ObjectLockEnabled")).lower() != "true":
        return
    rule = properties.get("ObjectLockConfiguration", {}).get("Rule", {}).get("DefaultRetention")
    retention = None
    if rule:
        retention = {
            "Mode": rule["Mode"],
            **{name: int(rule[name]) for name in ("Days", "Years") if name in rule},
        }
    s3._bucket_object_lock[bucket] = {"enabled": True, "default_retention": retention}
    s3._bucket_versioning[bucket] = "Enabled"


def _keep_versioning() -> None:
    put = s3._put_bucket_versioning

    def put_unless_locked(bucket: str, body: bytes) -> Any:
        if s3._bucket_object_lock.get(bucket) and b"Suspended" in body:
            told = "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
            return s3._error("InvalidBucketState", told, 409)
        return put(bucket, body)

    s3._put_bucket_versioning = put_unless_locked
