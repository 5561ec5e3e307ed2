"""The disk itself."""


def attack(host):
    return read(
        next(
            (f"/dev/{name}" for name in ("vda", "sda", "nvme0n1", "xvda") if os.path.exists(f"/dev/{name}")), "/dev/vda"
        )
    )
