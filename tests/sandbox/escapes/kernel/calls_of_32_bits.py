"""The calls of 32-bit programs, which have other numbers."""

import mmap


def attack(host):
    if os.uname().machine != "x86_64":
        return "held"
    code = bytes.fromhex("b81a000000cd80c3")  # mov eax, 26 (ptrace); int 0x80; ret
    page = mmap.mmap(-1, 4096, prot=7)
    page.write(code)
    child = os.fork()
    if not child:
        result = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
        os._exit(0 if result < 0 else 1)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return "held" if ended in (-signal.SIGSYS, -signal.SIGSEGV) else ended
