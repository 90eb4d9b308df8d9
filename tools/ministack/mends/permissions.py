"""What policies allow.

- The `*` of a policy's resource stands for any character (IAM User Guide, "IAM JSON policy elements: Resource").
  MiniStack's leaves out line ends, so that nothing could read an object with one in its key.
- The permission for SendMessageBatch is `sqs:SendMessage` (Service Authorization Reference, Amazon SQS). MiniStack asks
  for one that does not exist.
"""

import re

from ministack.core import iam_actions, iam_evaluator


def mend() -> None:
    """Match any character, and name the permission of batches."""
    compiled, action_of = iam_evaluator._fnmatch_compile, iam_actions._action_from_target

    def compiled_for_line_ends_too(pattern: str, ignore_case: bool) -> re.Pattern[str]:
        found = compiled(pattern, ignore_case)
        return re.compile(found.pattern, found.flags | re.DOTALL)

    def action_or_its_batch(headers: dict[str, str]) -> str | None:
        action = action_of(headers)
        return "SendMessage" if action == "SendMessageBatch" else action

    iam_evaluator._fnmatch_compile = compiled_for_line_ends_too
    iam_actions._action_from_target = action_or_its_batch
