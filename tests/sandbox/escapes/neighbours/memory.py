"""The memory of the processes around it."""


def attack(host):
    found = []
    for number in range(max(1, os.getpid() - 100), os.getpid() + 100):
        if number != os.getpid():
            try:
                found.append(os.open(f"/proc/{number}/mem", os.O_RDONLY))
            except OSError:
                pass
    return found or "held"
