"""How fast presidio-analyzer's pattern recognisers go over a text: prints bytes and seconds as JSON.

Run by the benchmarks with the interpreter of this folder's environment; the text comes from standard input. Line by
line, since texts are limited to a million characters, and without a language model, which patterns do not need.
"""

import json
import sys
import time

from presidio_analyzer import EntityRecognizer, predefined_recognizers

RECOGNISERS = (
    "CreditCardRecognizer",
    "EmailRecognizer",
    "IbanRecognizer",
    "IpRecognizer",
    "NhsRecognizer",
    "PhoneRecognizer",
    "UkNinoRecognizer",
    "UsSsnRecognizer",
)


def main() -> None:
    """Read the text, measure, and print."""
    text = sys.stdin.buffer.read()
    recognisers: list[EntityRecognizer] = [getattr(predefined_recognizers, name)() for name in RECOGNISERS]
    for recogniser in recognisers:
        recogniser.analyze("warm up: a.b@corp.org", recogniser.supported_entities, None)
    started, found = time.process_time(), 0
    for line in text.decode().splitlines():
        for recogniser in recognisers:
            found += len(recogniser.analyze(line, recogniser.supported_entities, None) or ())
    json.dump({"bytes": len(text), "seconds": time.process_time() - started, "found": found}, sys.stdout)


if __name__ == "__main__":
    main()
