"""Writes the parameters of a stack for `make accept`: `scripts/acceptance BUCKET` (docs/acceptance.md).

BUCKET exists; the tests upload files to it that start nothing by themselves.
"""

import json
import sys

from scripts.template import PROJECT
from tests.workflow.support.parameters import parameters_with
from waybill.cli.local.keys import AUDIENCE, ISSUER, SigningKey

FOLDER = PROJECT / ".local" / "acceptance"


def main() -> int:
    """Write `.local/acceptance/parameters.yaml`, and a key pair for the tests' tokens; return an exit status."""
    if len(sys.argv) != 2:
        print("usage: scripts/acceptance BUCKET", file=sys.stderr)
        return 2
    key = SigningKey.load_or_generate(FOLDER / "signing-key.pem")
    access = {"AuthIssuer": ISSUER, "AuthAudience": AUDIENCE, "AuthJwks": key.jwks()}
    parameters = {"Stage": "test", **parameters_with(sys.argv[1]), **access}
    file = FOLDER / "parameters.yaml"
    file.write_text(json.dumps(parameters, indent=2) + "\n", "utf-8")
    print(file.relative_to(PROJECT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
