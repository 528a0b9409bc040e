"""Translates EVM code to Python, one basic block at a time, for the embedded ledger.

py-evm dispatches every instruction through several Python calls (1–2 µs each). Here a basic block (a run of
instructions that is only entered at its beginning) becomes one Python function when it is first reached: stack
positions become local variables, constants are folded, and the gas of a straight run of instructions is charged at
once. Charging early is exact: if the gas of a run does not suffice, the frame fails in that run whatever happens in
it, and a failing frame loses all its gas and all its effects. Runs therefore end where gas becomes visible (GAS,
calls, SSTORE) and at every instruction that is left to py-evm's own function.

The unmodified interpreter is the reference: tests/chain/test_compiler.py runs random programs on both.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from types import FunctionType, MethodType
from typing import Any, Final, NoReturn

from eth.exceptions import FullStack, Halt, InsufficientStack, InvalidJumpDestination, OutOfGas
from eth.vm.forks.cancun.opcodes import CANCUN_OPCODES
from eth.vm.logic.invalid import InvalidOpcode
from eth.vm.opcode import _FastOpcode

from stowatt.chain.embedded import opcodes as op

BlockFunction = Callable[[Any, list[Any], Any, Any], int]
_CODES_KEPT: Final = 64
_STACK_LIMIT: Final = 1024
_INLINE_COST: Final = {op.SLOAD: 0}  # charged by the helper; all the others have py-evm's constant cost


class Blocks(dict[int, BlockFunction]):
    """The translated blocks of one code by their first program counter; translated when first asked for."""

    def __init__(self, code: bytes) -> None:
        super().__init__()
        self.code = code
        self.destinations = _jump_destinations(code)

    def __missing__(self, pc: int) -> BlockFunction:
        function = self[pc] = _Translator(self, pc).function()
        return function


_cache: OrderedDict[bytes, Blocks] = OrderedDict()


def execute(computation: Any) -> None:
    """Runs the computation's code to its end; failures are raised as py-evm's VMError."""
    code = computation.msg.code
    blocks = _cache.get(code)
    if blocks is None:
        blocks = _cache[code] = Blocks(code)
        if len(_cache) > _CODES_KEPT:
            _cache.popitem(last=False)
    else:
        _cache.move_to_end(code)
    stack, meter, memory = computation._stack.values, computation._gas_meter, computation._memory
    pc = 0
    try:
        while True:
            pc = blocks[pc](computation, stack, meter, memory)
    except Halt:
        pass


def _jump_destinations(code: bytes) -> frozenset[int]:
    found, pc = [], 0
    while pc < len(code):
        instruction = code[pc]
        if instruction == op.JUMPDEST:
            found.append(pc)
        elif op.PUSH1 <= instruction <= op.PUSH32:
            pc += instruction - op.PUSH1 + 1
        pc += 1
    return frozenset(found)


def _bad_jump(destination: int) -> NoReturn:
    raise InvalidJumpDestination(f"jump to {destination}, which is no JUMPDEST")


def _bad_stack(height: int, needed: int) -> NoReturn:
    if height < needed:
        raise InsufficientStack(f"{needed} stack items are needed, there are {height}")
    raise FullStack("the stack holds 1024 items")


def _no_gas() -> NoReturn:
    raise OutOfGas("the gas does not suffice")


_NAMES: Final[Mapping[str, Any]] = {
    **op.HELPERS, "bad_jump": _bad_jump, "bad_stack": _bad_stack, "no_gas": _no_gas,
}  # fmt: skip


def _bound_call(function: Any) -> Any:
    """The object's `__call__` as a bound method: nested EVM calls then use no C stack, which Python 3.12 limits."""
    method = next((vars(base)["__call__"] for base in type(function).__mro__ if "__call__" in vars(base)), None)
    return MethodType(method, function) if isinstance(method, FunctionType) else function


def _gas_cost(instruction: int) -> int:
    return _INLINE_COST.get(instruction, getattr(CANCUN_OPCODES[instruction], "gas_cost", 0))


class _Translator:
    """Writes the function of one block.

    `virtual` is the top of the stack as names of locals or literals; `loaded` are those of its names that stand for
    items which are still in place on the real stack, deepest first.
    """

    def __init__(self, blocks: Blocks, pc: int) -> None:
        self.code, self.destinations, self.start = blocks.code, blocks.destinations, pc
        self.body: list[str] = []
        self.virtual: list[str] = []
        self.loaded: list[str] = []
        self.names = 0
        self.gas = 0
        self.gas_line = 0
        self.memory_known = False
        self.functions: dict[str, Any] = {}

    def function(self) -> BlockFunction:
        """The block's function: (computation, stack, gas meter, memory) → next program counter, or Halt is raised."""
        needed, grown = self._walk()
        source = ["def block(c, st, m, mem):"]
        if needed or grown > 0:
            limit = _STACK_LIMIT - max(grown, 0)
            source.append(f" if not {needed} <= len(st) <= {limit}: bad_stack(len(st), {needed})")
        source.extend(self.body)
        namespace = {**_NAMES, **self.functions}
        exec(compile("\n".join(source), f"<evm {self.start}>", "exec"), namespace)
        block: BlockFunction = namespace["block"]
        return block

    def _walk(self) -> tuple[int, int]:
        """Translates every instruction; the stack height that the block needs and by how much it can grow."""
        pc, height, needed, grown = self.start, 0, 0, 0
        self._open_run()
        while True:
            instruction = self.code[pc] if pc < len(self.code) else op.STOP
            if instruction == op.JUMPDEST and pc != self.start:
                self._close_run()
                self._flush()
                self._emit(f"return {pc}")
                break
            pops, pushes = op.arity(instruction)
            needed = max(needed, pops - height)
            height += pushes - pops
            grown = max(grown, height)
            width = instruction - op.PUSH1 + 1 if op.PUSH1 <= instruction <= op.PUSH32 else 0
            self._translate(instruction, pc, width)
            pc += 1 + width
            if instruction in op.ENDS or instruction == op.JUMPI or instruction not in CANCUN_OPCODES:
                break
        return needed, grown

    # ------------------------------------------------------------------ writing lines

    def _emit(self, line: str) -> None:
        self.body.append(" " + line)

    def _name(self) -> str:
        self.names += 1
        return f"v{self.names}"

    def _open_run(self) -> None:
        self.gas, self.gas_line = 0, len(self.body)
        self._emit("")

    def _close_run(self) -> None:
        """Writes the charge of the run at the place where the run began."""
        if self.gas:
            self.body[self.gas_line] = f" g = m.gas_remaining - {self.gas}\n if g < 0: no_gas()\n m.gas_remaining = g"

    def _reach(self, depth: int) -> None:
        while len(self.virtual) < depth:
            name = self._name()
            self.loaded.insert(0, name)
            self.virtual.insert(0, name)
            self._emit(f"{name} = st[-{len(self.loaded)}]")

    def _pop(self) -> str:
        self._reach(1)
        return self.virtual.pop()

    def _push(self, expression: str) -> None:
        name = self._name()
        self._emit(f"{name} = {expression}")
        self.virtual.append(name)

    def _flush(self) -> None:
        """Brings the real stack up to date."""
        same = 0
        while same < min(len(self.loaded), len(self.virtual)) and self.loaded[same] == self.virtual[same]:
            same += 1
        drop, new = len(self.loaded) - same, self.virtual[same:]
        if drop and new:
            self._emit(f"st[-{drop}:] = ({', '.join(new)},)")
        elif drop:
            self._emit(f"del st[-{drop}:]")
        elif len(new) == 1:
            self._emit(f"st.append({new[0]})")
        elif new:
            self._emit(f"st += ({', '.join(new)},)")
        self.virtual, self.loaded = [], []

    # ------------------------------------------------------------------ instructions

    def _translate(self, instruction: int, pc: int, width: int) -> None:
        if op.PUSH0 <= instruction <= op.PUSH32:
            value = self.code[pc + 1 : pc + 1 + width].ljust(width, b"\0")
            self.gas += _gas_cost(instruction)
            self.virtual.append(hex(int.from_bytes(value, "big")))
        elif op.DUP1 <= instruction <= op.DUP16:
            self.gas += _gas_cost(instruction)
            self._reach(instruction - op.DUP1 + 1)
            self.virtual.append(self.virtual[-(instruction - op.DUP1 + 1)])
        elif op.SWAP1 <= instruction <= op.SWAP16:
            self.gas += _gas_cost(instruction)
            other = instruction - op.SWAP1 + 2
            self._reach(other)
            self.virtual[-1], self.virtual[-other] = self.virtual[-other], self.virtual[-1]
        elif instruction in op.PURE:
            self.gas += _gas_cost(instruction)
            self._pure(*op.PURE[instruction])
        elif instruction in op.CONTEXT:
            self.gas += _gas_cost(instruction)
            self._push(op.CONTEXT[instruction])
        elif instruction in self._WRITERS:
            self.gas += _gas_cost(instruction)
            self._WRITERS[instruction](self, pc)
        else:
            self._leave(instruction)

    def _pure(self, operands: int, template: str) -> None:
        values = dict(zip("abc", (self._pop() for _ in range(operands)), strict=False))
        expression = template.format(**values)
        if all(value.startswith("0x") for value in values.values()):
            self.virtual.append(hex(eval(expression, dict(_NAMES))))
        else:
            self._push(expression)

    def _leave(self, instruction: int) -> None:
        """The instruction is run by py-evm's function, which works on the real stack."""
        function: Any = CANCUN_OPCODES.get(instruction) or InvalidOpcode(instruction)
        if isinstance(function, _FastOpcode):  # a constant charge and the logic, which can be had without the wrapper
            self.gas += function.gas_cost
            function = function.logic_fn
        else:
            function = _bound_call(function)
        self._close_run()
        self._flush()
        name = f"op_{instruction:02x}"
        self.functions[name] = function
        self._emit(f"{name}(c)")
        if op.arity(instruction)[1]:
            self._emit("if type(st[-1]) is bytes: st[-1] = to_int(st[-1], 'big')")
        self.memory_known = False
        self._open_run()

    def _memory(self) -> None:
        if not self.memory_known:
            self._emit("mb = mem._bytes")
            self.memory_known = True

    def _reserve(self, start: str, size: int) -> str:
        """Extends the memory to start + size; the expression of the end."""
        self._memory()
        if start.startswith("0x"):
            end = hex(int(start, 16) + size)
        else:
            end = self._name()
            self._emit(f"{end} = {start} + {size}")
        self._emit(f"if {end} > len(mb): mb = grow(mem, m, {end})")
        return end

    def _mload(self, pc: int) -> None:
        start = self._pop()
        end = self._reserve(start, 32)
        self._push(f"to_int(mb[{start}:{end}], 'big')")

    def _mstore(self, pc: int) -> None:
        start, value = self._pop(), self._pop()
        end = self._reserve(start, 32)
        literal = value.startswith("0x")
        word = repr(int(value, 16).to_bytes(32, "big")) if literal else f"{value}.to_bytes(32, 'big')"
        self._emit(f"mb[{start}:{end}] = {word}")

    def _mstore8(self, pc: int) -> None:
        start, value = self._pop(), self._pop()
        self._reserve(start, 1)
        self._emit(f"mb[{start}] = {value} & 255")

    def _sha3(self, pc: int) -> None:
        start, size = self._pop(), self._pop()
        self._push(f"sha3(c, m, {start}, {size})")
        self.memory_known = False

    def _sload(self, pc: int) -> None:
        self._push(f"sload(c, m, {self._pop()})")

    def _call_data_load(self, pc: int) -> None:
        self._push(f"call_data_word(c.msg.data, {self._pop()})")

    def _drop(self, pc: int) -> None:
        self._pop()

    def _counter(self, pc: int) -> None:
        self.virtual.append(hex(pc))

    def _code_size(self, pc: int) -> None:
        self.virtual.append(hex(len(self.code)))

    def _gas_left(self, pc: int) -> None:
        self._close_run()
        self._push("m.gas_remaining")
        self._open_run()

    def _jump_dest(self, pc: int) -> None:
        """Costs its gas and does nothing."""

    def _jump(self, pc: int) -> None:
        target = self._pop()
        self._close_run()
        self._flush()
        self._emit(self._jump_to(target))

    def _jumpi(self, pc: int) -> None:
        target, condition = self._pop(), self._pop()
        self._close_run()
        self._flush()
        self._emit(f"if {condition}: {self._jump_to(target)}")
        self._emit(f"return {pc + 1}")

    def _jump_to(self, target: str) -> str:
        if target.startswith("0x"):
            known = int(target, 16)
            return f"return {known}" if known in self.destinations else f"bad_jump({known})"
        self.functions["destinations"] = self.destinations
        return f"return {target} if {target} in destinations else bad_jump({target})"

    _WRITERS: Final[Mapping[int, Callable[[_Translator, int], None]]] = {
        op.MLOAD: _mload,
        op.MSTORE: _mstore,
        op.MSTORE8: _mstore8,
        op.SHA3: _sha3,
        op.SLOAD: _sload,
        op.CALLDATALOAD: _call_data_load,
        op.POP: _drop,
        op.PC: _counter,
        op.CODESIZE: _code_size,
        op.GAS: _gas_left,
        op.JUMPDEST: _jump_dest,
        op.JUMP: _jump,
        op.JUMPI: _jumpi,
    }
