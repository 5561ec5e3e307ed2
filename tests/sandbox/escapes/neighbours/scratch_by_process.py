"""The folders that the processes around it work in."""


def attack(host):
    found = []
    for number in range(max(1, os.getpid() - 100), os.getpid() + 100):
        if number != os.getpid():
            try:
                found.append(read(f"/proc/{number}/cwd/mine"))
            except OSError:
                pass
    return found or "held"
