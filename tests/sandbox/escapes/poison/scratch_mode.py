"""The rights of the scratch folder."""


def attack(host):
    os.chmod(os.environ["TMPDIR"], 0)
    return "done"
