"""A port of the machine, past the proxy."""


def attack(host):
    with socket.create_connection(("127.0.0.1", host["web_port"]), 5) as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: allowed.test\r\n\r\n")
        answer = s.recv(65536)
    return "held" if b"through an HTTP proxy" in answer else answer.decode()
