"""Looking a name up."""


def attack(host):
    return socket.getaddrinfo("example.org", 80)
