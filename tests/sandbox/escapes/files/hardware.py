"""What the machine is made of."""


def attack(host):
    return read("/sys/class/dmi/id/product_uuid")
