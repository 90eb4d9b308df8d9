"""What stands where a value might be and is none: words of documentation, references, examples."""

import re

KEPT_FOR_EXAMPLES = (b"example", b"invalid", b"test", b"localhost")
EXAMPLE_DOMAIN = re.compile(
    rb"(?:@|\.)(?:example(?:\.[a-z]{2,3}){1,2}|[a-z0-9-]+\.(?:example|invalid|test|localhost))$"
)
PLACEHOLDER = re.compile(
    rb"(?i)example|placeholder|changeme|your[-_]?|dummy|x{8}|0{8}|deadbeef|\.\.\.|\*{4}|([^A])\1{7}"
    # What is counted up or down on a keyboard, in decimal or hexadecimal digits, or in letters.
    rb"|01234567|12345678|23456789|abcdef0|abcdef1|98765432|fedcba98|abcdefgh|defghijk|ijklmnop|opqrstuv|qwertyui"
)
_NO_PASSWORD = re.compile(
    rb"(?i)[<>{}()]|^[$@!%&*]|\$\{|^(?:process|os|env|var|local|self|this|config|settings|ssm|arn|data|module)[.:]"
    rb"|^(?:https?|s3|file|arn):|^\.{0,2}/|^(?:sha(?:1|256|384|512)[-:~]|h1:)|^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+$"
    rb"|^(?:true|false|none|null|undefined|nil)|^\[?(?:redacted|removed|masked|hidden|filtered)"
    rb"|^(?:pass(?:word|wd)?|secret|token|user(?:name)?|admin|root|guest|test|demo|sample|foo|bar|string)[-_0-9]*$"
    rb"|change[-_]?me|example|placeholder|your[-_]|dummy|^(.)\1+$|x{6}|\*{4}|\.{3}|_here$|12345678"
)


def is_placeholder(password: bytes) -> bool:
    """Return whether what stands where a password might be is a reference, a placeholder or a word of a schema."""
    return _NO_PASSWORD.search(password) is not None
