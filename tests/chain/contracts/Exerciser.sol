// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// A contract that the ledger's tests call: each function exercises one corner of the virtual machine.
contract Child {
    uint256 public immutable seed;
    address public parent = msg.sender;

    constructor(uint256 seed_) payable {
        require(seed_ != 13, "unlucky seed");
        seed = seed_;
    }

    function end(address payable heir) external {
        selfdestruct(heir);
    }

    receive() external payable {}
}

contract Exerciser {
    error TooSmall(uint256 given, uint256 least);

    event Transfer(address indexed from, address indexed to, uint256 amount);
    event Note(bytes32 indexed key, string text, uint256[] values);

    mapping(address => uint256) public balanceOf;
    mapping(bytes32 => mapping(uint256 => uint256)) public book;
    uint256[] public items;
    bytes public blob;
    uint256 public counter;
    int256 public last;

    constructor() payable {
        balanceOf[msg.sender] = 10 ** 24;
    }

    receive() external payable {}

    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
        emit Transfer(msg.sender, to, amount);
    }

    function increment() external returns (uint256) {
        return ++counter;
    }

    function atLeast(uint256 given) external returns (uint256) {
        counter += 1;
        if (given < 100) revert TooSmall(given, 100);
        require(given != 101, "not 101");
        assert(given != 102);
        return given;
    }

    /// Packs quantities in lanes and walks them, as the price book does.
    function lanes(uint256 rounds, uint256 salt) external returns (uint256 total) {
        bytes32 key = keccak256(abi.encode(salt));
        for (uint256 i = 0; i < rounds; ++i) {
            uint256 word = book[key][i % 8];
            uint256 lane = (salt >> (i % 32)) & 0xffff;
            uint256 shift = 48 * (i % 5);
            uint256 old = (word >> shift) & (2 ** 48 - 1);
            word = (word & ~((2 ** 48 - 1) << shift)) | ((old + lane) << shift);
            book[key][i % 8] = word;
            total += lane * lane + (word % 97) / 3;
        }
    }

    function compute(uint256 rounds, uint256 salt) external pure returns (uint256 x) {
        x = salt;
        unchecked {
            for (uint256 i = 0; i < rounds; ++i) {
                x = x * 6364136223846793005 + 1442695040888963407;
                x ^= x >> 33;
                if (x & 1 == 1) x = mulmod(x, i + 7, type(uint256).max - 58);
                else x = addmod(x, ~i, 2 ** 255 - 19);
            }
        }
    }

    function signed(int256 a, int256 b) external returns (int256 r) {
        unchecked {
            r = (b == 0 ? int256(0) : a / b) + (b == 0 ? int256(0) : a % b) + (a >> 3) + (a < b ? int256(1) : -1);
            r += int256(int8(a)) + int256(int64(b)) - int256(uint256(a) ** (uint256(b) % 7));
            last = r;
        }
    }

    function remember(bytes calldata data, uint256 n) external {
        blob = data;
        for (uint256 i = 0; i < n; ++i) items.push(i * i);
        emit Note(keccak256(data), string(abi.encodePacked("note ", data)), items);
    }

    function forget() external {
        delete blob;
        delete items;
        counter = 0;
    }

    function transientAndCopy(uint256 value) external returns (uint256 a, uint256 b, bytes32 c) {
        assembly {
            b := tload(7)
            tstore(7, value)
            a := tload(7)
            let p := mload(0x40)
            mstore(p, value)
            mcopy(add(p, 13), p, 45)
            c := keccak256(p, 77)
            mstore8(p, value)
            mstore(0x40, add(p, 96))
        }
        last = int256(a);
    }

    function create(uint256 seed, bool two) external payable returns (address made) {
        if (two) made = address(new Child{value: msg.value, salt: bytes32(seed)}(seed));
        else made = address(new Child{value: msg.value}(seed));
        counter += Child(payable(made)).seed();
    }

    function createAndEnd(uint256 seed) external payable {
        Child child = new Child{value: msg.value}(seed);
        child.end(payable(msg.sender));
    }

    function endChild(address payable child) external {
        Child(child).end(payable(address(0xBEEF)));
    }

    function tryCreate(uint256 seed) external returns (bool made) {
        try new Child(seed) {
            made = true;
        } catch Error(string memory) {
            counter += 7;
        }
    }

    function curve(uint256 k, uint256 m) external view returns (uint256 x, uint256 y) {
        assembly {
            let p := mload(0x40)
            mstore(p, 1)
            mstore(add(p, 32), 2)
            mstore(add(p, 64), k)
            if iszero(staticcall(gas(), 7, p, 96, p, 64)) { revert(0, 0) }
            mstore(add(p, 64), 1)
            mstore(add(p, 96), 2)
            mstore(add(p, 128), m)
            if iszero(staticcall(gas(), 7, add(p, 64), 96, add(p, 64), 64)) { revert(0, 0) }
            if iszero(staticcall(gas(), 6, p, 128, p, 64)) { revert(0, 0) }
            x := mload(p)
            y := mload(add(p, 32))
        }
    }

    function badPoint() external returns (bool ok) {
        (ok,) = address(6).staticcall{gas: 50_000}(abi.encode(uint256(1), uint256(1), uint256(1), uint256(2)));
        counter += 3;
    }

    function hashes(bytes calldata data) external view returns (bytes32, bytes20, address, bytes memory) {
        (, bytes memory same) = address(4).staticcall(data);
        return (sha256(data), ripemd160(data), ecrecover(keccak256(data), 27, bytes32(uint256(1)), bytes32(uint256(2))), same);
    }

    /// Calls itself `depth` deep; the innermost call runs out of gas, reverts or returns.
    function dive(uint256 depth, uint256 ending) external returns (uint256 reached) {
        counter += 1;
        if (depth == 0) {
            if (ending == 1) revert TooSmall(0, 1);
            if (ending == 2) while (true) counter += 1;
            if (ending == 3) {
                assembly {
                    invalid()
                }
            }
            return 1;
        }
        try this.dive{gas: gasleft() - gasleft() / 8}(depth - 1, ending) returns (uint256 deeper) {
            return deeper + 1;
        } catch {
            return 0;
        }
    }

    function writeInStatic() external view returns (bool ok, bytes memory data) {
        return address(this).staticcall(abi.encodeCall(this.increment, ()));
    }

    function delegate(address code, bytes calldata data) external payable returns (bool ok, bytes memory result) {
        return code.delegatecall(data);
    }

    function send(address payable to, uint256 amount) external returns (bool ok) {
        (ok,) = to.call{value: amount}("");
        last = ok ? int256(1) : int256(-1);
    }

    function surroundings(uint256 n) external view returns (bytes memory) {
        return abi.encode(
            block.number, block.timestamp, block.chainid, block.basefee, block.coinbase, block.gaslimit, block.prevrandao,
            blockhash(n), tx.origin, address(this).balance, address(this).code.length, msg.sender.codehash
        );
    }

    function gasPrice() external view returns (uint256, uint256) {
        return (tx.gasprice, gasleft());
    }

    function where() external view returns (uint256 number, uint256 timestamp) {
        return (block.number, block.timestamp);
    }
}
