"""A file mapped into memory."""

import mmap


def attack(host):
    return mmap.mmap(os.open(host["secret"], os.O_RDONLY), 0, prot=mmap.PROT_READ)[:]
