"""The server's virtual environment."""


def attack(host):
    return os.listdir(os.path.dirname(host["project"]) + "/.venv")
