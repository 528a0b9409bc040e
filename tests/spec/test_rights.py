"""§6 (25): the id of a capacity right, as a number and as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stowatt.curves import Side
from stowatt.errors import SettlementError
from stowatt.rights import RightId

OWN = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
OTHER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
WRONG = [  # too large, no side, a wrong checksum, a digit of another script
    hex(2**241),
    hex(2 << 192),
    f"7/sell/{OTHER.replace('C8', 'c8')}",
    "７/sell",
]
RIGHTS = st.builds(
    RightId,
    st.sampled_from([OWN, OTHER]),
    st.integers(0, 2**32 - 1),
    st.sampled_from(Side),
    st.integers(0, 2**40 - 1),
    st.booleans(),
)


def test_written_out_by_hand() -> None:
    """participant | window << 160 | side << 192 | start << 200 | final << 240, as in RightId.sol."""
    number = int(OWN, 16) + 7 * 2**160 + 1 * 2**192 + 300 * 2**200 + 2**240
    assert RightId(OWN, 7, Side.BUY, 300, True).encode() == number
    assert RightId(OWN, 7, Side.BUY, 300).settled().encode() == number


@given(RIGHTS)
def test_a_right_comes_back_from_its_number_and_its_texts(right: RightId) -> None:
    assert RightId.decode(right.encode()) == right
    assert RightId.parse(str(right.encode())) == RightId.parse(hex(right.encode())) == right
    assert RightId.parse(right.text()) == RightId.parse(right.text(own=OWN), own=OWN) == right


def test_texts_for_people() -> None:
    assert RightId(OWN, 7, Side.SELL).text(OWN) == "7/sell"
    assert RightId(OWN, 7, Side.BUY, 300, True).text(OWN.lower()) == "7/buy+300/final"
    assert RightId(OTHER, 7, Side.SELL).text(OWN) == f"7/sell/{OTHER}"


@pytest.mark.parametrize(
    "text",
    [*WRONG, "", "7/hold", "7/sell/0x12", "x/sell", "7/sell+", "4294967296/sell", "7/sell+1099511627776", "-1", "1e3"],
)
def test_what_names_no_right_is_refused(text: str) -> None:
    with pytest.raises(SettlementError):
        RightId.parse(text, OWN)


def test_whose_right_it_is_must_be_said() -> None:
    with pytest.raises(SettlementError, match="does not say whose"):
        RightId.parse("7/sell")
