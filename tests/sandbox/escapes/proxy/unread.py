"""An answer that is not read."""


def attack(host):
    s = socket.create_connection(("127.0.0.1", 3128), 5)
    s.sendall(b"GET http://allowed.test/bytes?count=30000000 HTTP/1.1\r\n\r\n")
    time.sleep(0.2)
    return "held"
