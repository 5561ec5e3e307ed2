"""The environment."""


def attack(host):
    os.environ.clear()
    os.environ["LEFT"] = "x"
    libc("setenv", b"LD_PRELOAD", b"/tmp/left.so", 1)
    libc("setenv", b"PYTHONSTARTUP", b"/tmp/left.py", 1)
    return "done"
