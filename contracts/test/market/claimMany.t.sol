// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Calendar} from "../../src/Calendar.sol";
import {Issue} from "../../src/Issue.sol";
import {Fixture} from "../utils/Fixture.sol";

/// @notice Market.claimMany(claims).
contract ClaimManyTest is Fixture {
    /// when one was claimed already > it is skipped, and the others are issued (T13)
    function testFuzz_SkipsWhatIsClaimed(bool sellerFirst) external {
        Issue.Claim[] memory batch = _batch();
        market.claim(batch[sellerFirst ? 0 : 1]);
        assertEq(market.claimMany(batch), 1, "issued");
        assertEq(rights.balanceOf(seller) + rights.balanceOf(buyer), 2, "both");
    }

    /// when a bid is altered > it is skipped
    function testFuzz_SkipsWhatDoesNotExist(uint8 at) external {
        Issue.Claim[] memory batch = _batch();
        batch[0].bid[at % batch[0].bid.length] ^= 0x01;
        assertEq(market.claimMany(batch), 1, "issued");
        assertEq(rights.balanceOf(seller), 0, "not the altered one");
    }

    /// when a claim comes twice > it is issued once (T10)
    function test_IssuesOnce() external {
        Issue.Claim[] memory batch = _batch();
        batch[1] = batch[0];
        assertEq(market.claimMany(batch), 1, "issued");
    }

    /// when the window is not cleared > it reverts with WrongPhase
    function test_RevertWhen_NotCleared() external {
        Issue.Claim[] memory batch = new Issue.Claim[](1);
        (batch[0],) = _pair(_one(10, 10), _one(20, 10));
        vm.expectRevert(_wrongPhase(W, Calendar.Phase.Reveal));
        market.claimMany(batch);
    }

    /// when all is well > it issues all
    function test_IssuesAll() external {
        assertEq(market.claimMany(_batch()), 2, "issued");
        _assertConserved(W, 0);
    }

    function _batch() private returns (Issue.Claim[] memory batch) {
        batch = new Issue.Claim[](2);
        (batch[0], batch[1]) = _cleared();
    }
}
