"""What people decide about a request, as it is kept beside the answers."""

import hashlib
import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class KeptDocument:
    """Decisions that are stored as one JSON document; the trail names them by its SHA-256."""

    @property
    def document(self) -> bytes:
        """As JSON."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True).encode()

    @property
    def sha256(self) -> str:
        """Of the document, hexadecimal."""
        return hashlib.sha256(self.document).hexdigest()
