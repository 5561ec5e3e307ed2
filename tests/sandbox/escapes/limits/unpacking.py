"""An archive that grows a thousandfold."""

import zlib


def attack(host):
    packed = zlib.compress(bytes(2**26), 9)
    return len(b"".join(zlib.decompress(packed) for _ in range(64)))
