"""A connection made by a shell."""


def attack(host):
    command = f"exec 3<>/dev/tcp/127.0.0.1/{host['port']} && echo reached"
    return subprocess.run(["/bin/bash", "-c", command], capture_output=True, text=True).stdout or "held"
