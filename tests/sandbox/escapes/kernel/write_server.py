"""Writing the server's memory."""


def attack(host):
    return syscall(host, "process_vm_writev", host["pid"], 0, 0, 0, 0, 0)
