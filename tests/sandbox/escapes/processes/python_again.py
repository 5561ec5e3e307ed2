"""A Python of its own, outside our preparations."""


def attack(host):
    return (
        subprocess.run(
            [sys.executable, "-S", "-c", f"print(open({host['secret']!r}).read())"], capture_output=True, text=True
        ).stdout
        or "held"
    )
