"""How modules are found."""


def attack(host):
    sys.meta_path.clear()
    sys.path_hooks.clear()
    sys.path[:] = [os.getcwd()]
    write("json.py")
    return "done"
