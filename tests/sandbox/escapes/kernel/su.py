"""A program that runs as root."""


def attack(host):
    return "held" if b"uid=0" not in subprocess.run(["/bin/su", "-c", "id"], capture_output=True).stdout else "root"
