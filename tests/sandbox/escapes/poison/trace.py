"""A function called at each line."""


def attack(host):
    sys.settrace(lambda *a: os.abort())
    sys.setprofile(lambda *a: os.abort())
    return "done"
