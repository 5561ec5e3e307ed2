"""A program left behind."""


def attack(host):
    subprocess.Popen(["/bin/sleep", "300"], start_new_session="no" in os.environ)
    return "held"
