"""The process that reads an upload, and says in JSON what it is.

`python -m waybill.subject_access.adapters.pdf_program <file>`
"""

import json
import resource
import sys
from pathlib import Path
from typing import Final

from waybill.subject_access.domain.report.fitness import examined

_MEMORY_BYTES: Final = 1 << 30


def main() -> None:
    """Say what is to be said of the file that is named."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    found = examined(Path(sys.argv[1]))
    sys.stdout.write(json.dumps({"pages": found} if isinstance(found, int) else {"problem": found}))


if __name__ == "__main__":
    main()
