"""The descriptor of the result, pointed elsewhere."""


def attack(host):
    os.dup2(os.open("mine", os.O_CREAT | os.O_RDWR), 3)
    return "value"
