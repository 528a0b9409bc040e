// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Issue} from "../../src/Issue.sol";
import {Registry} from "../../src/Registry.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {RightId} from "../../src/lib/RightId.sol";
import {Fixture} from "../utils/Fixture.sol";
import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

/// @notice CapacityRights.tokenURI(rightId) and RightMetadata: JSON on chain, read back as JSON.
contract TokenURITest is Fixture {
    /// constructor > when the market is zero > it reverts with ZeroAddress
    function test_ConstructorRevertWhen_NoMarket() external {
        vm.expectRevert(Errors.ZeroAddress.selector);
        this.createExternal("RightMetadata.sol:RightMetadata", abi.encode(address(0)));
    }

    /// when the right does not exist > it reverts with the token's error
    function testFuzz_RevertWhen_NoRight(uint256 id) external {
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, id));
        rights.tokenURI(id);
    }

    /// when it is a seller's right > it says side, DID, window, quantity, price, deposit, state
    function test_ASellersRight() external {
        (uint256 s,) = _issued();
        string memory json = _json(s);
        assertEq(vm.parseJsonString(json, ".name"), "Stowatt capacity right", "name");
        _assertText(json, 0, "side", "sell");
        _assertText(json, 1, "did", registry.didOf(seller));
        _assertNumber(json, 2, "window", W);
        _assertNumber(json, 3, "start", ORIGIN);
        _assertNumber(json, 4, "length", 900);
        _assertNumber(json, 5, "price per kWh", 1000);
        _assertNumber(json, 6, "quantity Wh", 1000);
        _assertNumber(json, 7, "deposit", 200);
        _assertNumber(json, 8, "drawn", 0);
        _assertText(json, 9, "state", "issued");
    }

    /// when the seller's device has a record > the deposit is by the right's own coefficient, whatever the record is now
    function test_TheDepositIsByTheRightsCoefficient() external {
        _setReliability(seller, 500_000);
        (uint256 s, uint256 b) = _issued();
        _setReliability(seller, 0);
        _assertNumber(_json(s), 7, "deposit", 125); // 12.5 % of 1,000
        _assertNumber(_json(b), 7, "deposit", 200);
    }

    /// when time passes > the state follows the phase
    function test_TheStateFollowsThePhase() external {
        (uint256 s, uint256 b) = _issued();
        vm.warp(_paymentDeadline(W));
        _assertText(_json(s), 9, "state", "in delivery");
        vm.warp(_readingsClose(W));
        _assertText(_json(b), 9, "state", "to be settled");
        _assertText(_json(b), 0, "side", "buy");
    }

    /// when the buyer has not paid > the state says so, and that it is in default after the deadline
    function test_AnUnpaidRight() external {
        (, Issue.Claim memory c) = _cleared();
        _drain(buyer, 0);
        market.claim(c);
        _assertText(_json(_right(W, BUY, buyer)), 9, "state", "payment due");
        vm.warp(_paymentDeadline(W));
        _assertText(_json(_right(W, BUY, buyer)), 9, "state", "in default");
    }

    /// when the right was split > the part's deposit is its part
    function testFuzz_APartsDeposit(uint256 cut) external {
        (uint256 s,) = _issued();
        cut = bound(cut, 1, 999);
        vm.prank(seller);
        uint256 part = rights.split(s, cut);
        uint256 a = vm.parseJsonUint(_json(s), ".attributes[7].value");
        uint256 b = vm.parseJsonUint(_json(part), ".attributes[7].value");
        assertEq(a + b, 200, "the whole deposit");
    }

    /// when it is a settlement token > it says what was settled
    function test_ASettlementToken() external {
        (uint256 s,) = _issued();
        _deliver(sellerKey, 1, W, 475);
        vm.warp(_readingsClose(W));
        delivery.settle(s);
        string memory json = _json(RightId.finalOf(s));
        assertEq(vm.parseJsonString(json, ".name"), "Stowatt settlement", "name");
        _assertNumber(json, 6, "quantity Wh", 1000);
        _assertNumber(json, 7, "fulfilment ppm", 500_000);
        _assertNumber(json, 8, "received", 500);
        _assertNumber(json, 9, "deposit released", 100);
        _assertText(json, 10, "state", "settled");
    }

    /// when the participant has no DID > it is derived from chain and address
    function test_TheDidOfAnUnregisteredParticipant() external {
        _deployOpen(_parameters());
        _enrol();
        (uint256 s,) = _issued();
        string memory did = vm.parseJsonString(_json(s), ".attributes[1].value");
        assertEq(did, _lower(string.concat("did:pkh:eip155:31337:", vm.toString(seller))), "did:pkh");
    }

    /// when the DID holds quotes or control characters > the JSON stays well formed
    function testFuzz_TheDidIsEscaped(bytes20 odd) external {
        bytes memory ascii = abi.encodePacked('"\\', odd);
        for (uint256 i; i < ascii.length; ++i) {
            ascii[i] = ascii[i] & 0x7f;
        }
        Registry.Credential memory c = _credential(seller, 3);
        c.did = string(ascii);
        registry.register(c, _signCredential(c, issuerKey));
        (uint256 s,) = _issued();
        assertEq(vm.parseJsonString(_json(s), ".attributes[1].value"), string(ascii), "round trip");
    }

    function _assertText(string memory json, uint256 i, string memory name, string memory value) private pure {
        string memory at = string.concat(".attributes[", vm.toString(i), "]");
        assertEq(vm.parseJsonString(json, string.concat(at, ".trait_type")), name, "name");
        assertEq(vm.parseJsonString(json, string.concat(at, ".value")), value, name);
    }

    function _assertNumber(string memory json, uint256 i, string memory name, uint256 value) private pure {
        string memory at = string.concat(".attributes[", vm.toString(i), "]");
        assertEq(vm.parseJsonString(json, string.concat(at, ".trait_type")), name, "name");
        assertEq(vm.parseJsonUint(json, string.concat(at, ".value")), value, name);
    }

    /// @dev The JSON of a right, decoded from its data URI.
    function _json(uint256 id) private view returns (string memory) {
        bytes memory uri = bytes(rights.tokenURI(id));
        bytes memory prefix = "data:application/json;base64,";
        bytes memory out = new bytes((uri.length - prefix.length) / 4 * 3);
        uint256 at;
        for (uint256 i = prefix.length; i < uri.length; i += 4) {
            uint256 word;
            uint256 pads;
            for (uint256 j; j < 4; ++j) {
                bytes1 c = uri[i + j];
                if (c == "=") ++pads;
                word = (word << 6) | _sextet(c);
            }
            out[at++] = bytes1(uint8(word >> 16));
            if (pads < 2) out[at++] = bytes1(uint8(word >> 8));
            if (pads < 1) out[at++] = bytes1(uint8(word));
        }
        assembly ("memory-safe") {
            mstore(out, at)
        }
        return string(out);
    }

    function _sextet(bytes1 c) private pure returns (uint256) {
        uint8 x = uint8(c);
        if (x >= 97) return x - 71;
        if (x >= 65) return x - 65;
        if (c == "+") return 62;
        if (c == "/") return 63;
        return c == "=" ? 0 : x + 4;
    }

    function _lower(string memory text) private pure returns (string memory) {
        bytes memory b = bytes(text);
        for (uint256 i; i < b.length; ++i) {
            if (b[i] >= "A" && b[i] <= "F") b[i] = bytes1(uint8(b[i]) + 32);
        }
        return string(b);
    }
}
