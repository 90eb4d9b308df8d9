"""The embedded AWS on this machine: started, built for, deployed to, stopped."""

from waybill.cli.local.errors import LocalStackError, PortTakenError
from waybill.cli.local.keys import SigningKey
from waybill.cli.local.ministack import MiniStack, free_port
from waybill.cli.local.sam import SamCli
from waybill.cli.local.stack import LocalStack
from waybill.cli.local.stack_file import StackFile

__all__ = [
    "LocalStack",
    "LocalStackError",
    "MiniStack",
    "PortTakenError",
    "SamCli",
    "SigningKey",
    "StackFile",
    "free_port",
]
