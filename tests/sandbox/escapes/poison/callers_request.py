"""The request as its callers hold it."""


def attack(host):
    frame = sys._getframe()
    while frame:
        for value in list(frame.f_locals.values()):
            if isinstance(value, dict) and "limits" in value:
                value["limits"] = {"result_bytes": 10**12}
        frame = frame.f_back
    return "x" * 5_000_000
