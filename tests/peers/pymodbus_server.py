"""A pymodbus server under remote control, a counterpart for andon's links.

usage: pymodbus_server.py tcp PORT UNIT...  |  pymodbus_server.py rtu|ascii DEVICE BAUD UNIT...

Every register of every unit and area holds a value that tells where it is from:
unit * 1000 + area digit * 100 + number % 100; coils and discrete inputs are set where number is even.
Commands on standard input, one a line:
  set UNIT FUNCTION ADDRESS VALUE...     writes registers of the area that FUNCTION (1 to 4) reads
"ready" and "done" are printed to standard output.
"""

import asyncio
import sys

from pymodbus.device import ModbusDeviceIdentification
from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.framer import FramerType
from pymodbus.server import StartAsyncSerialServer, StartAsyncTcpServer

AREAS = {"co": 1, "di": 2, "hr": 3, "ir": 4}


def registers(unit: int, area: int) -> ModbusSequentialDataBlock:
    return ModbusSequentialDataBlock(1, [(unit * 1000 + area * 100 + n % 100) % 65536 for n in range(65535)])


def bits() -> ModbusSequentialDataBlock:
    return ModbusSequentialDataBlock(1, [n % 2 == 0 for n in range(65535)])


def context(units: list[int]) -> ModbusServerContext:
    slaves = {
        u: ModbusSlaveContext(co=bits(), di=bits(), hr=registers(u, AREAS["hr"]), ir=registers(u, AREAS["ir"]))
        for u in units
    }
    return ModbusServerContext(slaves=slaves, single=False)


async def obey(server: ModbusServerContext) -> None:
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        match line.split():
            case ["set", unit, function, address, *values]:
                server[int(unit)].setValues(int(function), int(address, 0), [int(v, 0) for v in values])
                print("done", flush=True)


IDENTITY = ModbusDeviceIdentification(
    info_name={"VendorName": "Counterpart", "ProductCode": "CP-1", "MajorMinorRevision": "2.5.1", "ModelName": "Model 7"}
)


async def main() -> None:
    kind, place, *rest = sys.argv[1:]
    if kind == "tcp":
        server = context([int(u) for u in rest])
        serving = StartAsyncTcpServer(server, identity=IDENTITY, address=("127.0.0.1", int(place)))
    else:
        baud, *units = rest
        server = context([int(u) for u in units])
        serving = StartAsyncSerialServer(
            server, identity=IDENTITY, framer=FramerType(kind), port=place, baudrate=int(baud)
        )
    task = asyncio.create_task(serving)
    await asyncio.sleep(0.3)
    print("ready", flush=True)
    await obey(server)
    task.cancel()


asyncio.run(main())
