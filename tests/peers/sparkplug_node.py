"""A Sparkplug B edge node of pysparkplug under remote control, a counterpart for andon's MQTT links.

usage: sparkplug_node.py PORT GROUP NODE DEVICE

The node has the metric Temp (Double), the device Speed (Int32). Commands on standard input, one a line:
  node VALUE      the node's Temp
  device VALUE    the device's Speed
  remove          the device is gone
A rebirth request is answered by births. "ready" and "done" are printed.
"""

import sys
import threading

from pysparkplug import Client, DataType, Device, EdgeNode, Metric, get_current_timestamp


def temp(value: float) -> Metric:
    return Metric(timestamp=get_current_timestamp(), name="Temp", datatype=DataType.DOUBLE, value=value)


def speed(value: int) -> Metric:
    return Metric(timestamp=get_current_timestamp(), name="Speed", datatype=DataType.INT32, value=value)


def main() -> None:
    port, group, node_id, device_id = sys.argv[1:]

    def connect(edge: EdgeNode) -> None:
        edge.connect("127.0.0.1", port=int(port), keepalive=10)

    def born_again(edge: EdgeNode) -> None:
        edge.disconnect()
        connect(edge)

    def command(edge: EdgeNode, _message: object) -> None:
        threading.Thread(target=born_again, args=(edge,)).start()

    edge = EdgeNode(group, node_id, [temp(20.0)], client=Client(), cmd_callback=command)
    edge.register(Device(device_id, [speed(-5)]))
    connect(edge)
    print("ready", flush=True)
    for line in sys.stdin:
        match line.split():
            case ["node", value]:
                edge.update([temp(float(value))])
            case ["device", value]:
                edge.update_device(device_id, [speed(int(value))])
            case ["remove"]:
                edge.deregister(device_id)
        print("done", flush=True)


main()
