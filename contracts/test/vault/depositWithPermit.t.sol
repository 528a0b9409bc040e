// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Fixture} from "../utils/Fixture.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

/// @notice Market.depositWithPermit(amount, deadline, v, r, s).
contract DepositWithPermitTest is Fixture {
    uint256 private constant AMOUNT = 1000;

    function setUp() public override {
        super.setUp();
        token.mint(buyer, 10 * AMOUNT);
    }

    /// when the permit is good > it deposits without an approval
    function testFuzz_Deposits(uint96 amount, uint256 deadline) external {
        amount = uint96(bound(amount, 1, type(uint96).max - FUNDS));
        deadline = bound(deadline, block.timestamp, type(uint256).max);
        token.mint(buyer, amount);
        (uint8 v, bytes32 r, bytes32 s) = _permit(buyerKey, amount, deadline);
        vm.prank(buyer);
        market.depositWithPermit(amount, deadline, v, r, s);
        assertEq(market.balanceOf(buyer), FUNDS + amount, "balance");
    }

    /// when somebody else submitted the permit first > it deposits all the same
    function test_AFrontRunPermitDoesNoHarm() external {
        (uint8 v, bytes32 r, bytes32 s) = _permit(buyerKey, AMOUNT, block.timestamp);
        vm.prank(stranger);
        token.permit(buyer, address(market), AMOUNT, block.timestamp, v, r, s);
        vm.prank(buyer);
        market.depositWithPermit(AMOUNT, block.timestamp, v, r, s);
        assertEq(market.balanceOf(buyer), FUNDS + AMOUNT, "balance");
    }

    /// when the permit is another's or expired, and nothing is approved > it reverts with the token's error
    function test_RevertWhen_ThePermitIsBad() external {
        bytes memory error =
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(market), 0, AMOUNT);
        (uint8 v, bytes32 r, bytes32 s) = _permit(sellerKey, AMOUNT, block.timestamp);
        vm.expectRevert(error);
        vm.prank(buyer);
        market.depositWithPermit(AMOUNT, block.timestamp, v, r, s);
        (v, r, s) = _permit(buyerKey, AMOUNT, block.timestamp - 1);
        vm.expectRevert(error);
        vm.prank(buyer);
        market.depositWithPermit(AMOUNT, block.timestamp - 1, v, r, s);
    }

    function _permit(uint256 key, uint256 amount, uint256 deadline)
        private
        view
        returns (uint8 v, bytes32 r, bytes32 s)
    {
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                buyer,
                address(market),
                amount,
                token.nonces(buyer),
                deadline
            )
        );
        return vm.sign(key, keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), structHash)));
    }
}
