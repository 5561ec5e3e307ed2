"""Reading the server's memory."""


def attack(host):
    return syscall(host, "process_vm_readv", host["pid"], 0, 0, 0, 0, 0)
