# SPDX-License-Identifier: GPL-2.0-or-later
"""USB devices that are no plain stick: telephones, network adapters, serial adapters, keyboards, and devices that are
several of these at once."""

import pytest

from sekisho_vm_devices import UsbDevice
from sekisho_vm_gadgets import Gadget
from sekisho_wait import wait_until

CLASSES = {"still-image": "06", "communications": "02", "vendor-specific": "ff", "hid": "03", "mass-storage": "08"}

USB = {"interfaces": {"hid": "allow", "hub": "allow", "still-image": "deny", "communications": "deny",
                      "printer": "deny"}}


@pytest.fixture(scope="session")
def booted(guest_lab):
    guest_lab.wake()
    guest_lab.policy(usb=USB)
    return guest_lab


@pytest.fixture
def plug(lab):
    """Plugs in and sees to it that it comes out again."""
    plugged = []

    def plug(device):
        plugged.append(device.plug())
        return device

    yield plug
    for device in plugged:
        if device.plugged:
            device.pull()


def interfaces(lab, vendor, product):
    """{class: (let in, driver)} of the interfaces that the guest has of it."""
    shown = lab.guest.ask(
        'for d in /sys/bus/usb/devices/*; do '
        f'[ "$(cat "$d/idVendor" 2>/dev/null):$(cat "$d/idProduct" 2>/dev/null)" = {vendor}:{product} ] || continue; '
        'echo "device $(cat "$d/authorized") -"; '
        'for i in "$d"/*:*; do [ -e "$i/bInterfaceClass" ] || continue; '
        'echo "$(cat "$i/bInterfaceClass") $(cat "$i/authorized") $(basename "$(readlink "$i/driver")")"; done; done')
    return {line.split(" ")[0]: (line.split(" ")[1] == "1", line.split(" ")[2]) for line in shown.splitlines()}


def wait_refused(lab, vendor, product, name):
    """Until nothing of this class is let in, and no driver has it."""
    def refused():
        found = interfaces(lab, vendor, product)
        if not found:
            return False
        let_in, driver = found.get(CLASSES[name], (False, ""))
        return not found["device"][0] or (not let_in and not driver)

    wait_until(refused, f"the {name} interface is refused", 60)


def names(lab, what):
    return set(lab.guest.ask(f"ls {what} 2>/dev/null").split())


def test_a_telephone_is_let_in_only_while_the_policy_says_so(lab, plug):
    """MTP goes by the class of still images."""
    def answers():
        return "Model:" in lab.guest.run("mtp-detect", check=False).stdout

    lab.policy(usb={"interfaces": {**USB["interfaces"], "still-image": "allow"}})
    plug(UsbDevice(lab.machine, "usb-mtp", rootdir=lab.machine.directory, readonly=False))
    lab.recorded("device-verdict", device_vendor="46f4", device_product="0004", verdict="allow")
    wait_until(answers, "the telephone answers", 60)

    lab.policy(usb=USB)
    lab.recorded("device-verdict", device_vendor="46f4", device_product="0004", verdict="deny")
    wait_refused(lab, "46f4", "0004", "still-image")
    assert not answers()


def test_a_network_adapter_makes_no_interface(lab, plug):
    before = names(lab, "/sys/class/net")
    plug(UsbDevice(lab.machine, "usb-net"))
    wait_refused(lab, "0525", "a4a2", "communications")
    lab.recorded("device-verdict", device_vendor="0525", verdict="deny")
    assert names(lab, "/sys/class/net") == before


def test_a_serial_adapter_makes_no_line(lab, plug):
    lab.machine.qmp.run("chardev-add", id="line", backend={"type": "null", "data": {}})
    plug(UsbDevice(lab.machine, "usb-serial", chardev="line", **{"always-plugged": True}))
    lab.recorded("device-verdict", device_vendor="0403", verdict="deny")
    wait_refused(lab, "0403", "6001", "vendor-specific")
    assert not names(lab, "/dev/ttyUSB*")


def test_a_keyboard_stays_usable(lab, plug):
    before = names(lab, "/dev/input")
    plug(UsbDevice(lab.machine, "usb-kbd"))
    wait_until(lambda: names(lab, "/dev/input") - before, "the keyboard has its event node", 60)
    lab.policy(usb=USB)
    assert interfaces(lab, "0627", "0001") == {"device": (True, "-"), CLASSES["hid"]: (True, "usbhid")}


def test_of_a_keyboard_with_storage_the_keyboard_is_usable_and_the_storage_held(lab, plug):
    gadget = plug(Gadget(lab.guest, "storage", "keyboard"))
    lab.recorded("device-verdict", device_serial=gadget.serial, verdict="read-only")
    disk = gadget.wait_disk()
    assert lab.guest.ask(f"cat /sys/block/{disk}/ro") == "1"
    found = interfaces(lab, gadget.vendor, gadget.product)
    assert found[CLASSES["hid"]] == (True, "usbhid")
    attempt = lab.write(f"/dev/{disk}")
    assert attempt["error"]
    lab.recorded("raw-write-denied", attempt, device_serial=gadget.serial, uid=0)
    assert not gadget.changed


@pytest.mark.parametrize("function", ["network", "tethering", "serial"])
def test_of_storage_with_a_way_out_the_way_out_is_refused_and_the_storage_held(lab, plug, function):
    before = names(lab, "/sys/class/net") | names(lab, "/dev/ttyACM*")
    gadget = plug(Gadget(lab.guest, "storage", function))
    lab.recorded("interface-verdict", device_serial=gadget.serial, verdict="deny")
    disk = gadget.wait_disk()
    assert lab.guest.ask(f"cat /sys/block/{disk}/ro") == "1"
    # the gadget's own end of the cable is an interface of this guest as well
    own = set(lab.guest.ask("ls /sys/devices/platform/dummy_udc.0/*/net 2>/dev/null").split())
    wait_until(lambda: names(lab, "/sys/class/net") | names(lab, "/dev/ttyACM*") == before | own,
               "there is no way out", 60)
    assert not gadget.changed


def test_a_device_that_comes_back_as_another_is_judged_anew(lab, plug):
    """First a keyboard; then, at the same port and by the same name, a stick; then a stick with an approved serial."""
    first = plug(Gadget(lab.guest, "keyboard", serial="SAME"))
    lab.recorded("device-verdict", device_serial="SAME", verdict="allow")
    first.pull()
    lab.journal.forget()

    second = plug(Gadget(lab.guest, "storage", serial="SAME"))
    lab.recorded("device-verdict", device_serial="SAME", verdict="read-only")
    disk = second.wait_disk()
    assert lab.write(f"/dev/{disk}")["error"]
    second.pull()

    lab.policy([{"name": "approved", "match": {"serial": "OTHER"}, "access": "write"}])
    third = plug(Gadget(lab.guest, "storage", serial="OTHER"))
    disk = third.wait_disk()
    lab.guest.until(f"[ \"$(cat /sys/block/{disk}/ro)\" = 0 ]", "the approved one is let go")
    third.pull()

    fourth = plug(Gadget(lab.guest, "storage", serial="SAME"))
    disk = fourth.wait_disk()
    assert lab.guest.ask(f"cat /sys/block/{disk}/ro") == "1"
    assert not fourth.changed
