"""Half characters."""


def attack(host):
    print("\ud800")
    return {"\ud800": "\udfff", "k": ["\ud83d"]}
