"""Questions to the supervisor by processes that die meanwhile."""


def attack(host):
    for _ in range(20):
        child = os.fork()
        if child == 0:
            while True:
                socket.socket().close()
        time.sleep(0.003)
        os.kill(child, 9)
        os.waitpid(child, 0)
    return "held"
