"""Labels above a value: Amazon Macie, "Keyword requirements"."""

import pytest

from tests.unit.scanning.conftest import Scan

NUMBER = "219456789"


@pytest.mark.parametrize(
    "text",
    [
        f"SSN:\n{NUMBER}\n",
        f"SSN:\n\n{NUMBER}\n",
        f"Social security number\n{NUMBER}\n",
        f'{{"ssn":\n "{NUMBER}"}}',
        f"<SSN>\n{NUMBER}\n</SSN>",
        f'<person>\n  <ssn kind="x">\n    <value>{NUMBER}</value>\n  </ssn>\n</person>',
        f'{{"ssn": {{"type": "x",\n    "value": "{NUMBER}"}}}}',
        f'{{\n  "ssn": {{\n    "kind": "x",\n    "value": "{NUMBER}"\n  }}\n}}',
        f"person:\n  ssn:\n    value: {NUMBER}\n",
        f"ssn:\n- 219456781\n- {NUMBER}\n",
        f"ssn:\n  - 219456781\n  - 219456782\n  - {NUMBER}\n",
        f"Quarter 4\nname,ssn\nbob,{NUMBER}\n",
        f"# made by hand\nname,ssn\nbob,{NUMBER}\n",
        f'"last, first",ssn\n"a, b",{NUMBER}\n',
        f'name,ssn\n"bob\nsmith",{NUMBER}\n',
        f"Our people:\nname\tssn\nann\tnone\nbob\t{NUMBER}\n",
        f"[ssn]\nvalue = {NUMBER}\n",
        f"[person.ssn]\n; by hand\nkind = x\n\nvalue={NUMBER}\n",
        f'x = 1\n[[people."ssn"]] # TOML\nkind = "x"\n  number = "{NUMBER}"\n',
        f"<table>\n<tr>\n<th>Name</th>\n<th>SSN</th>\n</tr>\n<tr>\n<td>Bob</td>\n<td>{NUMBER}</td>\n</tr>\n</table>",
    ],
)
def test_a_value_belongs_to_the_label_above_it(scan: Scan, text: str) -> None:
    found = [finding for finding in scan(text.encode()).findings if finding.detector == "US_SSN"]
    assert text.encode()[found[-1].byte_offset :].startswith(NUMBER.encode())


@pytest.mark.parametrize(
    "text",
    [
        f"invoice,ssn\n{NUMBER},\n",
        f"Our people:\ninvoice\tssn\n{NUMBER}\tnone\n",
        f"<table>\n<tr>\n<th>No.</th>\n<th>SSN</th>\n</tr>\n<tr>\n<td>{NUMBER}</td>\n<td>x</td>\n</tr>\n</table>",
        f"ssn:\n\n\n\n{NUMBER}\n",
        f"[ssn]\nkind = x\n[invoice]\nvalue = {NUMBER}\n",
        f"[ssn]\nkind = x\n\nThe invoice of last week is {NUMBER} and it is paid\n",
        "ssn: none\n" + "a: 1\n" * 9 + f"b: {NUMBER}\n",
        f"ssn:\ninvoice: {NUMBER}\n",
        f"person:\n  ssn:\n    kind: x\n  invoice: {NUMBER}\n",
        f"we never ask for the ssn of anybody here\n{NUMBER}\n",
        f'{{"ssn": "x",\n "invoice": {NUMBER}}}',
    ],
)
def test_a_number_elsewhere_is_none(scan: Scan, text: str) -> None:
    assert not scan(text.encode()).findings
