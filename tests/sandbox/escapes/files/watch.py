"""Watching the folder of a file."""


def attack(host):
    return libc("inotify_add_watch", libc("inotify_init"), os.path.dirname(host["secret"]).encode(), 0xFFF)
