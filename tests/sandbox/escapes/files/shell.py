"""A file through a shell."""


def attack(host):
    return (
        os.popen("cat " + host["secret"] + " 2>/dev/null || head -c 99 " + host["secret"] + " 2>/dev/null").read()
        or "held"
    )
