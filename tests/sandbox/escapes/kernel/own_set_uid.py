"""A program of its own that runs as whoever owns it."""

import shutil


def attack(host):
    shutil.copy("/bin/id", "id")
    os.chmod("id", 0o6755)
    ids = subprocess.run(["./id", "-u"], capture_output=True, text=True).stdout.strip()
    return "held" if ids == str(os.getuid()) and ids != "0" else ids
