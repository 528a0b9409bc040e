"""A SunSpec device as a process: ``python modbus_server.py PORT BEGAN WATTS [FAULT]``.

Common model, inverter model 103, battery model 802. The power is constant, the counter shows what it has made since
BEGAN (unix seconds) in tenths of a Wh, whenever it is read: after a restart of the process it is where it would be.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

from pymodbus.server import StartAsyncTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

BASE = 40_000


def text(value: str, words: int) -> list[int]:
    raw = value.encode().ljust(2 * words, b"\0")
    return [int.from_bytes(raw[i : i + 2]) for i in range(0, len(raw), 2)]


def registers(began: float, watts: int, fault: str) -> list[int]:
    """The whole map at this moment."""
    tenths = round((time.time() - began) * watts / 360) + 0xFFFF_0000
    inverter = [0] * 50
    inverter[12:14] = [(watts // 10) & 0xFFFF, 1]
    inverter[22:25] = [(tenths >> 16) & 0xFFFF, tenths & 0xFFFF, 0xFFFF]  # scale factor -1
    if fault == "power-only":
        inverter[22:24] = [0, 0]
    if fault == "not-implemented":
        inverter[12], inverter[22:24] = 0x8000, [0, 0]
    battery = [0xFFFF] * 62
    battery[9], battery[54] = 555, 0xFFFF  # 55.5 %
    common = [*text("Stowatt test", 16), *text("Battery 5", 16), *[0] * 34]
    inverter = inverter[:20] if fault == "short" else inverter
    return [0x5375, 0x6E53, 1, 66, *common, 103, len(inverter), *inverter, 802, 62, *battery, 0xFFFF, 0]


async def main() -> None:
    port, began, watts = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    fault = sys.argv[4] if len(sys.argv) > 4 else ""

    async def renew(
        code: int, start: int, address: int, count: int, current: list[int], wanted: list[Any] | None
    ) -> None:
        whole = registers(began, watts, fault)
        current[:] = whole[start - BASE : start - BASE + len(current)]

    data = SimData(BASE, values=registers(began, watts, fault), datatype=DataType.REGISTERS, readonly=True)
    await StartAsyncTcpServer(SimDevice(1, simdata=[data], action=renew), address=("127.0.0.1", port))


if __name__ == "__main__":
    asyncio.run(main())
