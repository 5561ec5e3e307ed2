"""A file through a program that reads it."""


def attack(host):
    output = subprocess.run(["/bin/cat", host["secret"]], capture_output=True).stdout
    return output.decode() or "held"
