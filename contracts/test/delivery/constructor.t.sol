// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CapacityRights} from "../../src/CapacityRights.sol";
import {Market} from "../../src/Market.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {Fixture} from "../utils/Fixture.sol";

/// @notice Delivery's constructor: it is deployed last, and checks that all contracts point at each other.
contract DeliveryConstructorTest is Fixture {
    /// when the market points at another delivery contract > it reverts with BadWiring
    function test_RevertWhen_TheMarketPointsElsewhere() external {
        address other = _next(0);
        vm.expectRevert(abi.encodeWithSelector(Errors.BadWiring.selector, other, address(delivery)));
        this.createExternal("Delivery.sol:Delivery", abi.encode(address(market)));
    }

    /// when the rights point at another delivery contract or market > it reverts with BadWiring
    function test_RevertWhen_TheRightsPointElsewhere() external {
        (Market m, CapacityRights wrong) = _wired(address(0xbad), address(0), 900, false);
        vm.expectRevert(abi.encodeWithSelector(Errors.BadWiring.selector, _next(0), address(0xbad)));
        this.createExternal("Delivery.sol:Delivery", abi.encode(m));
        (m, wrong) = _wired(address(0), address(0xbad), 900, false);
        vm.expectRevert(abi.encodeWithSelector(Errors.BadWiring.selector, address(m), address(0xbad)));
        this.createExternal("Delivery.sol:Delivery", abi.encode(m));
    }

    /// when the registry points at another market > it reverts with BadWiring
    function test_RevertWhen_TheRegistryPointsElsewhere() external {
        (Market m,) = _wired(address(0), address(0), 900, false);
        vm.mockCall(m.registry(), abi.encodeWithSignature("market()"), abi.encode(address(0xbad)));
        vm.expectRevert(abi.encodeWithSelector(Errors.BadWiring.selector, address(m), address(0xbad)));
        this.createExternal("Delivery.sol:Delivery", abi.encode(m));
    }

    /// when the registry has another window length > it reverts with BadCalendar(1)
    function test_RevertWhen_TheRegistrysWindowsDiffer() external {
        (Market m,) = _wired(address(0), address(0), 901, false);
        vm.expectRevert(abi.encodeWithSelector(Errors.BadCalendar.selector, 1));
        this.createExternal("Delivery.sol:Delivery", abi.encode(m));
    }

    /// when registry and market differ in mode > it reverts with BadWiring
    function test_RevertWhen_TheModesDiffer() external {
        (Market m,) = _wired(address(0), address(0), 900, true);
        vm.expectRevert(abi.encodeWithSelector(Errors.BadWiring.selector, address(m), m.registry()));
        this.createExternal("Delivery.sol:Delivery", abi.encode(m));
    }

    /// when all is well > it keeps the wiring
    function test_KeepsTheWiring() external view {
        assertEq(address(delivery.market()), address(market), "market");
        assertEq(address(delivery.registry()), address(registry), "registry");
        assertEq(address(delivery.rights()), address(rights), "rights");
    }

    /// @dev Everything up to the delivery contract, with one wrong value; zero means the right one.
    function _wired(address delivery_, address market_, uint256 length, bool openRegistry)
        private
        returns (Market m, CapacityRights r)
    {
        Market.Wiring memory w = _wiring(address(token));
        address predicted = _next(1);
        _create("Registry.sol:Registry", abi.encode(predicted, length, openRegistry, admin, issuer));
        m = Market(_create("Market.sol:Market", abi.encode(_parameters(), w, false)));
        address meta = _create("RightMetadata.sol:RightMetadata", abi.encode(m));
        r = CapacityRights(
            _create(
                "CapacityRights.sol:CapacityRights",
                abi.encode(
                    market_ == address(0) ? address(m) : market_, delivery_ == address(0) ? w.delivery : delivery_, meta
                )
            )
        );
    }
}
