"""Output that would colour the terminal of who reads it."""


def attack(host):
    sys.stdout.write("\x1b]0;owned\x07" * 1000)
    return "value"
