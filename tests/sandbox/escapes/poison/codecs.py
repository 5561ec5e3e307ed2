"""How text is read."""

import codecs


def attack(host):
    codecs.register(lambda name: codecs.lookup("rot13"))
    codecs.register_error("replace", lambda e: ("owned", e.end))
    codecs.register_error("strict", lambda e: ("owned", e.end))
    return "\ud800"
