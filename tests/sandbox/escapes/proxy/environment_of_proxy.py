"""What the proxy's address gives away."""


def attack(host):
    return "held" if os.environ["HTTP_PROXY"] == "http://127.0.0.1:3128" else os.environ["HTTP_PROXY"]
