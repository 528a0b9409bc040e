// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../../src/lib/Errors.sol";
import {Pedersen} from "../../src/lib/Pedersen.sol";
import {Seal} from "../utils/Seal.sol";
import {Test} from "../utils/Test.sol";

/// @notice Pedersen commitments on BN254 (§5).
contract PedersenTest is Test {
    // ----------------------------------------------------------------------------------------------------------- commit

    /// commit > it is m·G + r·H, compressed
    function testFuzz_CommitIsTheCompressedSum(uint256 m, uint256 r) external view {
        assertEq(this.commit(m, r), Seal.commit(m, r), "C");
    }

    /// commit > when two commitments are added > the sum commits to the sums
    function testFuzz_CommitIsHomomorphic(uint128 m1, uint128 r1, uint128 m2, uint128 r2) external view {
        (uint256 x1, uint256 y1) = Seal.add(1, 2, m1, Seal.H_X, Seal.H_Y, r1);
        (uint256 x2, uint256 y2) = Seal.add(1, 2, m2, Seal.H_X, Seal.H_Y, r2);
        (uint256 x, uint256 y) = Seal.add(x1, y1, 1, x2, y2, 1);
        assertEq(this.commit(uint256(m1) + m2, uint256(r1) + r2), x | ((y & 1) << 255), "C1 + C2");
    }

    /// commit > when the message is another > the commitment is another
    function testFuzz_CommitBindsTheMessage(uint256 m, uint256 other, uint256 r) external view {
        vm.assume(m % Pedersen.ORDER != other % Pedersen.ORDER);
        assertNotEq(this.commit(m, r), this.commit(other, r), "binding");
    }

    /// commit > when the blinder is another > the commitment is another
    function testFuzz_CommitHidesBehindTheBlinder(uint256 m, uint256 r, uint256 other) external view {
        vm.assume(r % Pedersen.ORDER != other % Pedersen.ORDER);
        assertNotEq(this.commit(m, r), this.commit(m, other), "hiding");
    }

    /// commit > when a scalar grows by the group order > the commitment is the same, which is why r >= n is refused (T4)
    function testFuzz_ScalarsCountModuloTheOrder(uint248 m, uint248 r) external view {
        uint256 c = this.commit(m, r);
        assertEq(this.commit(uint256(m) + Pedersen.ORDER, r), c, "m + n");
        assertEq(this.commit(m, uint256(r) + Pedersen.ORDER), c, "r + n");
    }

    /// commit > when both scalars are zero > it is the zero word, which no commitment may be
    function test_TheInfinitePointIsZero() external view {
        assertEq(this.commit(0, 0), 0, "infinity");
    }

    /// commit > when a precompile fails > it reverts with PrecompileFailed (T25)
    function test_RevertWhen_APrecompileFails() external {
        for (uint160 precompile = 6; precompile <= 7; ++precompile) {
            vm.mockCallRevert(address(precompile), "", "");
            vm.expectRevert(Errors.PrecompileFailed.selector);
            this.commit(1, 1);
            vm.clearMockedCalls();
        }
    }

    // -------------------------------------------------------------------------------------------------------- opensSum

    /// opensSum > when points are commitments > their sum opens to the sums of messages and blinders (7)
    function testFuzz_TheSumOpens(uint48[5] memory m, uint256[5] memory r, uint8 count) external view {
        (bytes memory points, uint256 message, uint256 blinder) = _points(m, r, count % 6);
        assertTrue(this.opensSum(points, message, blinder), "the sum");
    }

    /// opensSum > when the message or the blinder is another > it does not open
    function testFuzz_AnotherSumDoesNot(uint48[5] memory m, uint256[5] memory r, uint256 other) external view {
        (bytes memory points, uint256 message, uint256 blinder) = _points(m, r, 5);
        other = bound(other, 0, Seal.ORDER - 1);
        if (other != message) assertFalse(this.opensSum(points, other, blinder), "message");
        if (other != blinder) assertFalse(this.opensSum(points, message, other), "blinder");
    }

    /// opensSum > when a scalar is the order or above > it does not open, though the point is the same (T48)
    function testFuzz_ScalarsAreTakenOnce(uint48[5] memory m, uint256[5] memory r) external view {
        (bytes memory points, uint256 message, uint256 blinder) = _points(m, r, 3);
        assertFalse(this.opensSum(points, message + Seal.ORDER, blinder), "m + n");
        assertFalse(this.opensSum(points, message, blinder + Seal.ORDER), "r + n");
        assertFalse(this.opensSum("", Seal.ORDER, 0), "n");
        assertFalse(this.opensSum("", 0, Seal.ORDER), "n");
    }

    /// opensSum > when the order of the points is another > it opens as well: order is the signature's matter (T47)
    function testFuzz_TheOrderOfPointsDoesNotMatter(uint48[5] memory m, uint256[5] memory r) external view {
        (bytes memory points, uint256 message, uint256 blinder) = _points(m, r, 5);
        (m[0], m[4]) = (m[4], m[0]);
        (r[0], r[4]) = (r[4], r[0]);
        (bytes memory swapped,,) = _points(m, r, 5);
        assertTrue(this.opensSum(points, message, blinder) && this.opensSum(swapped, message, blinder), "both");
    }

    /// opensSum > when there is no point > it opens to zero alone
    function testFuzz_NoPoints(uint256 m, uint256 r) external view {
        assertTrue(this.opensSum("", 0, 0), "zero");
        (m, r) = (bound(m, 0, Seal.ORDER - 1), bound(r, 1, Seal.ORDER - 1));
        assertFalse(this.opensSum("", m, r), "anything else");
    }

    /// opensSum > when points cancel > it opens to zero: a point and its inverse
    function testFuzz_PointsCancel(uint48 m, uint256 r) external view {
        r = bound(r, 1, Seal.ORDER - 1);
        (uint256 x, uint256 y) = Seal.add(1, 2, m, Seal.H_X, Seal.H_Y, r);
        assertTrue(this.opensSum(abi.encodePacked(x, y, x, Seal.FIELD - y), 0, 0), "zero");
        assertFalse(this.opensSum(abi.encodePacked(x, y, x, y), 0, 0), "twice the point");
    }

    /// opensSum > when the infinite point is among them > it changes nothing
    function testFuzz_InfinityChangesNothing(uint48[5] memory m, uint256[5] memory r) external view {
        (bytes memory points, uint256 message, uint256 blinder) = _points(m, r, 3);
        assertTrue(this.opensSum(bytes.concat(new bytes(64), points, new bytes(64)), message, blinder), "the same");
    }

    /// opensSum > when a point is off the curve > it does not open, wherever it stands, and costs little (T48)
    function testFuzz_APointOffTheCurve(uint48[5] memory m, uint256[5] memory r, uint8 place) external view {
        place %= 5;
        (bytes memory points, uint256 message, uint256 blinder) = _points(m, r, 5);
        assembly ("memory-safe") {
            let y := add(add(points, 0x40), mul(place, 0x40))
            mstore(y, xor(mload(y), 1))
        }
        uint256 gas = gasleft();
        assertFalse(this.opensSum(points, message, blinder), "off the curve");
        assertLt(gas - gasleft(), 60_000, "a failing precompile burns what it is given");
    }

    /// opensSum > when a coordinate is not canonical > it does not open
    function test_CoordinatesAreCanonical() external view {
        assertTrue(this.opensSum(abi.encodePacked(uint256(1), uint256(2)), 1, 0), "G");
        assertFalse(this.opensSum(abi.encodePacked(1 + Seal.FIELD, uint256(2)), 1, 0), "x + p");
        assertFalse(this.opensSum(abi.encodePacked(uint256(1), 2 + Seal.FIELD), 1, 0), "y + p");
        assertFalse(this.opensSum(abi.encodePacked(Seal.FIELD, Seal.FIELD), 0, 0), "infinity + p");
    }

    /// opensSum > when the curve's addition fails > nothing opens; when the products fail > it reverts (T25)
    function test_OpensNothingWithoutPrecompiles() external {
        bytes memory point = abi.encodePacked(uint256(1), uint256(2));
        vm.mockCallRevert(address(7), "", "");
        vm.expectRevert(Errors.PrecompileFailed.selector);
        this.opensSum(point, 1, 0);
        vm.mockCallRevert(address(6), "", "");
        assertFalse(this.opensSum(point, 1, 0), "no addition");
    }

    // ------------------------------------------------------------------------------------------------------------- hash

    /// hash > it is keccak256 of the blinder's 32 bytes
    function testFuzz_HashIsKeccak(uint256 blinder) external pure {
        assertEq(Pedersen.hash(blinder), uint256(keccak256(abi.encode(blinder))), "hash");
    }

    // --------------------------------------------------------------------------------------------------------- selfTest

    /// selfTest > when the precompiles are the standard's > it passes
    function test_SelfTestPasses() external view {
        this.selfTest();
    }

    /// selfTest > when a precompile answers wrongly > it reverts with PrecompileFailed (T25)
    function test_RevertWhen_APrecompileIsWrong() external {
        vm.mockCall(address(7), "", abi.encode(1, 2));
        vm.expectRevert(Errors.PrecompileFailed.selector);
        this.selfTest();
        vm.clearMockedCalls();
        vm.mockCall(address(6), "", abi.encode(1, 2));
        vm.expectRevert(Errors.PrecompileFailed.selector);
        this.selfTest();
    }

    /// selfTest > when the precompiles return nothing, as on a chain without them > it reverts with PrecompileFailed (T25)
    function test_RevertWhen_ThereIsNoPrecompile() external {
        vm.mockCall(address(6), "", "");
        vm.mockCall(address(7), "", "");
        vm.expectRevert(Errors.PrecompileFailed.selector);
        this.selfTest();
    }

    // ---------------------------------------------------------------------------------------------------- H, from nothing

    /// H > it is the first hash of the public string that is the x of a point, with the even root
    function test_HIsHashedToTheCurve() external pure {
        for (uint32 counter;; ++counter) {
            uint256 x = uint256(keccak256(abi.encodePacked("Stowatt/Pedersen/H/1", counter))) % Seal.FIELD;
            uint256 square = addmod(mulmod(mulmod(x, x, Seal.FIELD), x, Seal.FIELD), 3, Seal.FIELD);
            uint256 y = _power(square, (Seal.FIELD + 1) / 4);
            if (mulmod(y, y, Seal.FIELD) != square) continue;
            if (y & 1 == 1) y = Seal.FIELD - y;
            assertEq(x, Seal.H_X, "x");
            assertEq(y, Seal.H_Y, "y");
            return;
        }
    }

    /// H > it has the group's order
    function test_HHasTheGroupsOrder() external view {
        (uint256 x, uint256 y) = Seal.mul(Seal.H_X, Seal.H_Y, Seal.ORDER);
        assertEq(x | y, 0, "nH is infinity");
    }

    // ---------------------------------------------------------------------------------------------------------- helpers

    function commit(uint256 m, uint256 r) external view returns (uint256) {
        return Pedersen.commit(m, r);
    }

    function opensSum(bytes calldata points, uint256 m, uint256 r) external view returns (bool) {
        return Pedersen.opensSum(points, m, r);
    }

    function selfTest() external view {
        Pedersen.selfTest();
    }

    /// @dev The first `count` commitments, and the sums that open theirs.
    function _points(uint48[5] memory m, uint256[5] memory r, uint256 count)
        private
        view
        returns (bytes memory points, uint256 message, uint256 blinder)
    {
        for (uint256 i; i < count; ++i) {
            (uint256 x, uint256 y) = Seal.add(1, 2, m[i], Seal.H_X, Seal.H_Y, r[i] % Seal.ORDER);
            points = bytes.concat(points, abi.encodePacked(x, y));
            message += m[i];
            blinder = addmod(blinder, r[i], Seal.ORDER);
        }
    }

    function _power(uint256 base, uint256 exponent) private pure returns (uint256 result) {
        result = 1;
        for (; exponent != 0; exponent >>= 1) {
            if (exponent & 1 == 1) result = mulmod(result, base, Seal.FIELD);
            base = mulmod(base, base, Seal.FIELD);
        }
    }
}
