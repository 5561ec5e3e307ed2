"""The open files of the processes around it."""


def attack(host):
    found = []
    for number in range(max(1, os.getpid() - 100), os.getpid() + 100):
        if number != os.getpid():
            try:
                found += os.listdir(f"/proc/{number}/fd")
            except OSError:
                pass
    return found or "held"
