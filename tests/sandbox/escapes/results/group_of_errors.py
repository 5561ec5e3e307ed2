"""An error of errors of errors."""


def attack(host):
    error = ValueError()
    for _ in range(500):
        error = ExceptionGroup("group", [error, error])
    raise error
