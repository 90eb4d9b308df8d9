"""What the commands of the scanner work with."""

from waybill.cli.context import Cli
from waybill.core.settings import WaybillSettings
from waybill.scanning.runtime import Runtime

_OUTPUTS = {
    "scans_table": "ScansTableName",
    "scan_workflow_arn": "ScanWorkflowArn",
    "failure_topic_arn": "FailureTopicArn",
    "scan_webhook_private": "ScanWebhookPrivate",
}


def scanner_of(cli: Cli) -> Runtime:
    """Return the scanner of the stack that the options name; which buckets may be read is up to the user's role."""

    def settings[S: WaybillSettings](settings_class: type[S]) -> S:
        stack = cli.stack
        fields = settings_class.model_fields
        known = {name: stack.output(key) for name, key in _OUTPUTS.items() if name in fields}
        if "stack_name" in fields:
            known["stack_name"] = stack.name
        return settings_class.model_validate(known)

    return Runtime(settings, cli.client, any_bucket=True)
