"""The files of the call beside it."""


def attack(host):
    found = []
    for top in ("/tmp", "/dev/shm", "/var/tmp", "/run", "/home"):
        for folder, _, files in os.walk(top):
            for name in files:
                try:
                    found.append(read(os.path.join(folder, name)) if name == "mine" else b"")
                except OSError:
                    pass
    return "held" if not any(host["word"].encode() in one for one in found) else "read"
