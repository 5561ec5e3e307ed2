"""A function called at each fork."""


def attack(host):
    os.register_at_fork(before=os.abort, after_in_parent=os.abort, after_in_child=os.abort)
    return "done"
