import re
from pathlib import Path

from waybill.subject_access.domain.upstream.codes import Code


def test_the_readme_explains_every_code_and_no_other(project: Path) -> None:
    text = (project / "src/waybill/subject_access/README.md").read_text("utf-8")
    assert {*re.findall(r"`((?:upstream|template|attachment)_[0-9]{4})`", text)} == {str(code) for code in Code}
