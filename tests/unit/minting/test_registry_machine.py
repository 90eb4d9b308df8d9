"""Many minters on one registry, in random order and with random faults, against the simplest possible model."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.fakes.registry import Clock, MemoryRegistry, mint
from waybill.minting.domain.source_ids import parse_source_id
from waybill.minting.errors import RegistryThrottledError, RegistryUnavailableError
from waybill.minting.models import Minted, ProposalVerdict, Ruling, WantedIdentifier

SOURCES = [parse_source_id(f"Work[s/{number}]") for number in range(8)]
FEW_IDS = [f"aaaaaaa{char}" for char in "abcdefghjkmnpqrstuvwxyz"]
WANTED = st.lists(
    st.builds(
        WantedIdentifier, st.sampled_from(SOURCES), st.one_of(st.just((None,)), st.tuples(st.sampled_from(SOURCES)))
    ),
    min_size=1,
    unique_by=lambda each: each.source,
)


def lost_answer(store, proposals):
    store()
    raise RegistryUnavailableError("the answer was lost")


def conflict(store, proposals):
    return [ProposalVerdict(Ruling.CONFLICT), *[ProposalVerdict(Ruling.KEPT)] * (len(proposals) - 1)]


class Minters(RuleBasedStateMachine):
    """The model is what anybody was ever told."""

    def __init__(self) -> None:
        super().__init__()
        self.registry = MemoryRegistry()
        self.got: dict = {}

    def request(self, wanted: list[WantedIdentifier], ids: st.DataObject) -> None:
        drawn = ids.draw(st.lists(st.sampled_from(FEW_IDS), min_size=1, max_size=30))
        outcomes = mint(
            self.registry, wanted, draw=lambda _: drawn.pop(0) if len(drawn) > 1 else drawn[0], clock=Clock()
        )
        assert set(outcomes) == {each.source for each in wanted}
        for source, outcome in outcomes.items():
            if isinstance(outcome, Minted):
                assert self.got.setdefault(source, outcome.canonical_id) == outcome.canonical_id
                assert self.registry.forward[source] == outcome.canonical_id

    @rule(wanted=WANTED, ids=st.data())
    def mint_alone(self, wanted, ids) -> None:
        self.request(wanted, ids)

    @rule(wanted=WANTED, other=WANTED, ids=st.data())
    def mint_while_another_gets_in_between(self, wanted, other, ids) -> None:
        def interleave(store, proposals):
            self.request(other, ids)
            return store()

        self.registry.assign_faults = [interleave]
        self.request(wanted, ids)
        self.registry.assign_faults = []

    @rule(
        wanted=WANTED,
        ids=st.data(),
        faults=st.lists(st.sampled_from([None, lost_answer, conflict, RegistryThrottledError("slow")]), max_size=6),
    )
    def mint_with_faults(self, wanted, ids, faults) -> None:
        self.registry.assign_faults = faults
        self.request(wanted, ids)
        self.registry.assign_faults = []

    @invariant()
    def every_id_has_one_owner_that_has_it(self) -> None:
        assert self.registry.sound()

    @invariant()
    def nothing_that_was_told_has_changed(self) -> None:
        assert self.got.items() <= self.registry.forward.items()


TestMinters = Minters.TestCase
TestMinters.settings = settings(max_examples=60, stateful_step_count=12, deadline=None)
