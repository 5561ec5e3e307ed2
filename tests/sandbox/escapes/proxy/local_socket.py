"""The kind of socket the database listens on."""


def attack(host):
    return socket.socket(socket.AF_UNIX).connect(host["unix"])
