from collections.abc import Iterator
from pathlib import Path

import pytest

from stowatt.chain.sender import Sender
from tests.chain.backends import ALICE, BACKENDS, Backend, Contract


@pytest.fixture(scope="module", params=["embedded", "node", pytest.param("anvil", marks=pytest.mark.anvil)])
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    folder: Path = tmp_path_factory.mktemp(request.param)
    with BACKENDS[request.param](folder) as opened:
        yield opened


@pytest.fixture(scope="module")
def alice(backend: Backend) -> Sender:
    return Sender(backend.ledger, ALICE)


@pytest.fixture(scope="module")
def contract(alice: Sender) -> Contract:
    return Contract.deploy(alice)
