"""Runs a whole program and reports its last value. This file is the source of a sandbox's call: it imports the standard library only."""

import ast
import linecache
import os
import subprocess
import sys
import traceback
from typing import Any

_FILENAME = "code.py"
# The program runs as a script of its own; what its last line gives, or a promise of it, is written to a file of its own.
_NODE = """
const fs = require('fs'), vm = require('vm'), util = require('util'), folder = process.env.TMPDIR;
globalThis.require = require;
const failed = error => {
  const stack = (error && error.stack) || String(error);
  fs.writeFileSync(folder + '/error', stack.split('\\n    at Script.runInThisContext')[0]);
  process.exitCode = 1;
};
process.on('uncaughtException', error => { failed(error); process.exit(1); });
Promise.resolve()
  .then(() => vm.runInThisContext(fs.readFileSync(folder + '/code.js', 'utf8'), {filename: 'code.js'}))
  .then(value => { if (value !== undefined) fs.writeFileSync(folder + '/result', util.inspect(value)); })
  .catch(failed);
"""


def run_python(code: str, tools: dict[str, str]) -> dict[str, Any]:
    """{results: the text of the last line's value, if it has one} or {error: its traceback}."""
    scope: dict[str, Any] = {"__name__": "__main__"}
    for name, source in tools.items():
        try:
            exec(compile(source, f"{name}.py", "exec"), scope)
        except BaseException as error:
            print(f"Your tool {name} is not there: {type(error).__name__}: {error}", file=sys.stderr)
    linecache.cache[_FILENAME] = (len(code), None, code.splitlines(keepends=True), _FILENAME)
    try:
        return {"results": _executed(code, scope)}
    except SystemExit as error:
        return {} if not error.code else {"error": f"The program ended itself: sys.exit({error.code!r})."}
    except BaseException as error:
        return {"error": _described(error)}


def _executed(code: str, scope: dict[str, Any]) -> list[str]:
    program = ast.parse(code, _FILENAME)
    last = program.body.pop() if program.body and isinstance(program.body[-1], ast.Expr) else None
    exec(compile(program, _FILENAME, "exec"), scope)
    if not isinstance(last, ast.Expr):
        return []
    value = eval(compile(ast.Expression(last.value), _FILENAME, "eval"), scope)
    return [] if value is None else [value if isinstance(value, str) else repr(value)]


def _described(error: BaseException) -> str:
    """The traceback without the lines of this file."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename != _FILENAME:
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames)).strip()


def run_javascript(code: str) -> dict[str, Any]:
    """{results} or {error}, as for Python; {absent: True} where there is no Node.js."""
    _write("code.js", code)
    try:
        done = subprocess.run(
            ["node", "--max-old-space-size=384", "-e", _NODE],
            stdin=subprocess.DEVNULL,
            env=os.environ
            | {"OPENSSL_CONF": "/dev/null"},  # Landlock keeps it from the machine's, and it would not start.
            check=False,
        )
    except FileNotFoundError:
        return {"absent": True}
    error, result = _read("error"), _read("result")
    if error or done.returncode:
        return {"error": error or f"Node.js ended with exit code {done.returncode}."}
    return {"results": [result] if result else []}


def _write(name: str, text: str) -> None:
    with open(f"{os.environ['TMPDIR']}/{name}", "w", encoding="utf-8") as file:
        file.write(text)


def _read(name: str) -> str:
    try:
        with open(f"{os.environ['TMPDIR']}/{name}", encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""
