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
    function test_HIsHashedToTheCurve() external view {
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

    function selfTest() external view {
        Pedersen.selfTest();
    }

    function _power(uint256 base, uint256 exponent) private pure returns (uint256 result) {
        result = 1;
        for (; exponent != 0; exponent >>= 1) {
            if (exponent & 1 == 1) result = mulmod(result, base, Seal.FIELD);
            base = mulmod(base, base, Seal.FIELD);
        }
    }
}
