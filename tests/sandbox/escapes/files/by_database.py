"""A file as a database."""

import sqlite3


def attack(host):
    try:
        sqlite3.connect(host["secret"]).execute("create table t (c)")
    except sqlite3.Error as error:
        raise OSError(error) from None
