"""A request without a host in its first line."""


def ask(request):
    with socket.create_connection(("127.0.0.1", 3128), 5) as s:
        s.sendall(request)
        return b"".join(iter(lambda: s.recv(65536), b""))


def attack(host):
    answer = ask(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    return "held" if answer.startswith(b"HTTP/1.1 4") else answer.decode()
