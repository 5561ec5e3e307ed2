"""A tunnel to a port of the machine."""


def ask(request):
    with socket.create_connection(("127.0.0.1", 3128), 5) as s:
        s.sendall(request)
        return b"".join(iter(lambda: s.recv(65536), b""))


def attack(host):
    answer = ask(f"CONNECT 127.0.0.1:{host['port']} HTTP/1.1\r\n\r\n".encode())
    return "held" if answer.startswith(b"HTTP/1.1 4") else answer.decode()
