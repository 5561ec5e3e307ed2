"""The arguments of the processes around it."""


def attack(host):
    found = []
    for number in range(1, os.getpid() + 200):
        try:
            found.append(read(f"/proc/{number}/cmdline"))
        except OSError:
            pass
    return "held" if not any(host["word"].encode() in one for one in found) else found
