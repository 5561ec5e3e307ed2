"""Files that are deleted but open."""


def attack(host):
    kept = []
    for number in range(100):
        file = open("file", "wb")
        os.unlink("file")
        file.write(bytes(2**20))
        file.flush()
        kept.append(file)
    time.sleep(5)
    return "written"
