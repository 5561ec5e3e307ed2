"""A file as a library of native code: its first bytes stand in the error."""


def attack(host):
    try:
        ctypes.CDLL(host["secret"])
    except OSError as error:
        return "held" if "No such file" in str(error) or "Permission denied" in str(error) else str(error)
