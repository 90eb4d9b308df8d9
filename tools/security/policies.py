"""Prints what parliament finds in IAM policies: reads a JSON object of documents by name from the standard input."""

import json
import sys
import warnings

warnings.simplefilter("ignore")

from parliament import analyze_policy_string, enhance_finding  # noqa: E402


def main() -> None:
    """Print a list of `[policy, check, title, detail]`."""
    found = []
    for name, document in json.load(sys.stdin).items():
        for finding in analyze_policy_string(json.dumps(document)).findings:
            title = enhance_finding(finding).title
            found.append([name, finding.issue, title, str(finding.detail)])
    json.dump(found, sys.stdout)


main()
