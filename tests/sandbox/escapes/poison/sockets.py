"""The module by which the zygote hears."""


def attack(host):
    socket.recv_fds = socket.send_fds = socket.socket = lambda *a, **k: None
    return "done"
