// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bidding} from "../../src/Bidding.sol";
import {Issue} from "../../src/Issue.sol";
import {RightId} from "../../src/lib/RightId.sol";
import {Fixture} from "../utils/Fixture.sol";

/// @notice A battery's promised energy from commitment to settlement (§2): what each step holds, and what it gives back.
contract EnergyTest is Fixture {
    /// when a seller's whole right is settled > its units are free again
    function testFuzz_SettlementFreesTheUnits(uint8 units, uint16 wanted) external {
        uint256 held = bound(units, 1, 64);
        (uint256 s,) = _traded(held, bound(wanted, 1, 20_000 * held / 64));
        assertNotEq(_promised(seller), 0, "promised until then");
        vm.warp(_readingsClose(W));
        delivery.settle(s);
        assertEq(_promised(seller), 0, "free");
    }

    /// when a right was split > each part's settlement frees its share, in any order, and the shares sum to the whole
    function testFuzz_PartsFreeTheirShares(uint16 wanted, uint256 seed) external {
        uint256 fill = bound(wanted, 10, 20_000);
        (uint256 s,) = _traded(64, fill);
        uint256 units = rights.rightOf(s).units;
        assertEq(units, (fill * 64 + 19_999) / 20_000, "units");
        uint256[] memory parts = _parts(s, seed);
        vm.warp(_readingsClose(W));
        uint256 first = seed % parts.length;
        for (uint256 i; i < parts.length; ++i) {
            uint256 id = parts[(first + i) % parts.length];
            uint256 start = RightId.start(id);
            uint256 end = start + rights.rightOf(id).quantity;
            uint256 before = _promised(seller);
            delivery.settle(id);
            // ⌈u·end/whole⌉ − ⌈u·start/whole⌉
            uint256 share = (units * end + fill - 1) / fill - (units * start + fill - 1) / fill;
            assertEq(before - _promised(seller), share, "its share");
        }
        assertEq(_promised(seller), 0, "all of it, once");
    }

    /// when a right changed hands > its settlement frees the units of who sold, not of who holds
    function test_TheSellersUnitsAreFreed() external {
        _open(W + 1);
        _commitUnits(W + 1, seller2, 9, _one(10, 1));
        (uint256 s,) = _traded(64, 20_000);
        vm.prank(seller);
        rights.transferFrom(seller, seller2, s);
        vm.warp(_readingsClose(W));
        delivery.settle(s);
        assertEq(_promised(seller), 0, "the seller's");
        assertEq(_promised(seller2), 9, "not the holder's");
    }

    /// when a buyer defaults > the seller's units stay promised until its own settlement
    function test_ADefaultFreesNoEnergy() external {
        (Issue.Claim memory s, Issue.Claim memory b) = _cleared();
        vm.warp(_paymentDeadline(W));
        market.claim(s);
        market.claim(b);
        assertEq(_promised(seller), 4, "promised");
        vm.warp(_readingsClose(W));
        delivery.settle(_right(W, SELL, seller));
        assertEq(_promised(seller), 0, "free");
    }

    /// when a bid lives from commitment to settlement > its units are promised throughout, and sold again only afterwards (T42)
    function test_OneWindowsEnergyIsSoldOnceAtATime() external {
        _device(_certificate(seller, sellerKey, 20_000, 80_000)); // the energy of one window
        _open(W + 1);
        (uint256 s,) = _traded(64, 20_000);
        vm.warp(_end(W));
        uint256 next = 6;
        _open(next);
        vm.prank(seller);
        vm.expectRevert(abi.encodeWithSignature("Oversold(address,uint256,uint256)", seller, 65, 64));
        market.commit(next, 1, 1);
        vm.warp(_readingsClose(W));
        delivery.settle(s);
        vm.prank(seller);
        market.commit(next, 64, 1);
        assertEq(_promised(seller), 64, "sold again");
    }

    /// when the device is replaced meanwhile > what the old one promised still comes back, and no more
    function testFuzz_AReplacedDevicesPromisesComeBack(uint8 units) external {
        (uint256 s,) = _traded(64, 20_000 * bound(units, 1, 64) / 64);
        uint256 held = _promised(seller);
        _device(_certificate(seller, sellerKey, 100, 400));
        assertEq(_promised(seller), held, "kept");
        vm.warp(_readingsClose(W));
        delivery.settle(s);
        assertEq(_promised(seller), 0, "free");
    }

    /// @dev The seller asks all that `held` units allow, and `fill` of it is bought and paid.
    function _traded(uint256 held, uint256 fill) private returns (uint256 s, uint256 b) {
        _open(W);
        Bidding.Opening memory ask = _commitUnits(W, seller, held, _one(10, 20_000 * held / 64));
        Bidding.Opening memory bid = _commit(W, buyer, BUY, _one(20, fill));
        _toReveal(W);
        Issue.Claim memory c = _reveal(ask);
        Issue.Claim memory d = _reveal(bid);
        market.clear(W);
        market.claim(c);
        market.claim(d);
        return (_right(W, SELL, seller), _right(W, BUY, buyer));
    }

    /// @dev Splits the right in up to six.
    function _parts(uint256 s, uint256 seed) private returns (uint256[] memory parts) {
        parts = new uint256[](1 + seed % 6);
        parts[0] = s;
        vm.startPrank(seller);
        for (uint256 i = 1; i < parts.length; ++i) {
            uint256 quantity = rights.rightOf(parts[i - 1]).quantity;
            if (quantity < 2) {
                assembly ("memory-safe") {
                    mstore(parts, i)
                }
                break;
            }
            parts[i] = rights.split(parts[i - 1], 1 + (seed >> (8 * i)) % (quantity - 1));
        }
        vm.stopPrank();
    }
}
