"""What the commands of the scanner work with."""

from waybill.cli.context import Cli


class Deployed:
    """The scanner of the stack that the options name."""

    def __init__(self, cli: Cli) -> None:
        from waybill.core.aws.sns import SnsNotifier
        from waybill.core.aws.states import StepFunctions
        from waybill.core.clock import now
        from waybill.scanning.adapters.events import EventAnnouncer
        from waybill.scanning.adapters.s3 import S3Bucket
        from waybill.scanning.adapters.table import ScansTable
        from waybill.scanning.domain.completion import Completion
        from waybill.scanning.domain.inventory import Inventory
        from waybill.scanning.domain.jobs import Jobs

        stack = cli.stack
        self.workflow_arn = stack.output("ScanWorkflowArn")
        self.executions = StepFunctions(cli.client("stepfunctions"))
        self.store = ScansTable(cli.client("dynamodb"), stack.output("ScansTableName"), now=now)
        notifier = SnsNotifier(cli.client("sns"), stack.output("FailureTopicArn"))
        completion = Completion(self.store, EventAnnouncer(cli.client("events"), notifier))
        # Judged by the user's own permissions; the functions' allow-list holds for what they do later.
        self.bucket = S3Bucket(lambda: cli.client("s3"), None)
        self.jobs = Jobs(self.store, self.bucket, completion, now, Inventory(self.bucket))
