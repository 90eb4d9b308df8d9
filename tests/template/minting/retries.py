"""In which ways the states of minting try again."""

from tests.template.support.retries import HASTY, PATIENT, STORED, TWICE_MORE, Retries, own

CHUNK = ("ChunkUnfinishedError", "RegistryUnavailableError", "DocumentsUnavailableError")

USES: dict[str, dict[tuple[str, ...], Retries]] = {
    "minting IdMinter": PATIENT | TWICE_MORE | own(STORED, "RegistryUnavailableError"),
    "minting PlanMinting": PATIENT | TWICE_MORE | own(STORED, "DocumentsUnavailableError"),
    "minting SummariseMinting": PATIENT | TWICE_MORE | own(STORED, "DocumentsUnavailableError", "ResultsMissingError"),
    "minting MintChunk": HASTY | TWICE_MORE | own(STORED, *CHUNK),
    "minting MintManifestChunk": HASTY | TWICE_MORE | own(STORED, *CHUNK),
}
