"""A socket that was left open by the sandbox."""

import stat


def attack(host):
    found = []
    for fd in range(256):
        try:
            found += [fd] if stat.S_ISSOCK(os.fstat(fd).st_mode) else []
        except OSError:
            pass
    return found or "held"
