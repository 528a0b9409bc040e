// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Base64} from "@openzeppelin/contracts/utils/Base64.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {Calendar} from "./Calendar.sol";
import {CapacityRights, IRightMetadata} from "./CapacityRights.sol";
import {Market} from "./Market.sol";
import {Registry} from "./Registry.sol";
import {Errors} from "./lib/Errors.sol";
import {Money} from "./lib/Money.sol";
import {RightId} from "./lib/RightId.sol";

/// @title A right's metadata as JSON on chain (25), (27): DID, window, quantity, price, deposit, state.
contract RightMetadata is IRightMetadata {
    using Strings for uint256;

    Market public immutable market;

    constructor(Market market_) {
        if (address(market_) == address(0)) revert Errors.ZeroAddress();
        market = market_;
    }

    /// @inheritdoc IRightMetadata
    function tokenURI(uint256 rightId) external view returns (string memory) {
        bytes memory json = abi.encodePacked(
            '{"name":"Stowatt ',
            RightId.isFinal(rightId) ? "settlement" : "capacity right",
            '","description":"A right to shared battery storage, delivered in one window.","attributes":[',
            _identity(rightId),
            RightId.isFinal(rightId) ? _settlement(rightId) : _right(rightId),
            "]}"
        );
        return string.concat("data:application/json;base64,", Base64.encode(json));
    }

    function _identity(uint256 rightId) private view returns (bytes memory) {
        uint256 window = RightId.window(rightId);
        Calendar.Parameters memory p = market.calendar();
        address participant = RightId.participant(rightId);
        string memory did = Registry(market.registry()).didOf(participant);
        if (bytes(did).length == 0) {
            did = string.concat("did:pkh:eip155:", block.chainid.toString(), ":", Strings.toHexString(participant));
        }
        (uint256 tick,,,,,) = market.resultOf(window);
        return abi.encodePacked(
            _text("side", RightId.side(rightId) == 0 ? "sell" : "buy"),
            _text("did", Strings.escapeJSON(did)),
            _number("window", window),
            _number("start", p.origin + window * p.length),
            _number("length", p.length),
            _number("price per kWh", tick * p.tickSize)
        );
    }

    function _right(uint256 rightId) private view returns (bytes memory) {
        CapacityRights.Right memory right = market.rights().rightOf(rightId);
        Calendar.Parameters memory p = market.calendar();
        (uint256 tick,,,,,) = market.resultOf(RightId.window(rightId));
        uint256 alpha = RightId.side(rightId) == 0 ? right.alpha : p.alphaBuyer;
        uint256 deposit =
            Money.depositPart(alpha, RightId.start(rightId), right.quantity, tick, p.tickSize);
        return abi.encodePacked(
            _number("quantity Wh", right.quantity),
            _number("deposit", deposit),
            _number("drawn", right.drawn),
            _last("state", _state(RightId.window(rightId), right.paid))
        );
    }

    function _settlement(uint256 finalId) private view returns (bytes memory) {
        CapacityRights.Settlement memory s = market.rights().settlementOf(finalId);
        return abi.encodePacked(
            _number("quantity Wh", s.quantity),
            _number("fulfilment ppm", s.fulfilment),
            _number("received", s.amount),
            _number("deposit released", s.released),
            _last("state", "settled")
        );
    }

    function _state(uint256 window, bool paid) private view returns (string memory) {
        Calendar.Phase phase = market.phaseOf(window);
        if (phase == Calendar.Phase.Payment) return paid ? "issued" : "payment due";
        if (!paid) return "in default";
        return phase == Calendar.Phase.Delivery ? "in delivery" : "to be settled";
    }

    function _text(string memory name, string memory value) private pure returns (bytes memory) {
        return abi.encodePacked('{"trait_type":"', name, '","value":"', value, '"},');
    }

    function _number(string memory name, uint256 value) private pure returns (bytes memory) {
        return abi.encodePacked('{"trait_type":"', name, '","value":', value.toString(), "},");
    }

    function _last(string memory name, string memory value) private pure returns (bytes memory) {
        return abi.encodePacked('{"trait_type":"', name, '","value":"', value, '"}');
    }
}
