"""An error in a line of a megabyte."""


def attack(host):
    exec(compile("\n" * 10**6 + "1/0", "tool.py", "exec"))
