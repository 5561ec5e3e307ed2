"""How long numbers may be."""


def attack(host):
    sys.set_int_max_str_digits(0)
    return "done"
