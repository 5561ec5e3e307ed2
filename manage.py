#!/usr/bin/env python
"""Django's command line for this project."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ade.settings")
    if sys.argv[1:2] == ["serve"]:
        # Past Django's own start, which loads every app: this command only looks after the processes that need them.
        from agents_core.management.commands.serve import Command

        Command().run_from_argv(sys.argv)
        return
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
