"""What a tool's author gets back: values, output and errors."""

import pytest

from tests.sandbox.runners import Runner

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    # Who runs the server makes no difference here.
    pytest.mark.parametrize("sandbox", ["bubblewrap", "landlock"], indirect=True, scope="session"),
]


async def test_arguments_and_results_are_json_data(sandbox: Runner) -> None:
    data = {"text": "héé \U0001f600", "list": [1, 2.5, None, True], "nested": {"a": {"b": []}}}
    assert (await sandbox.run("def f(x):\n    return x", {"x": data})).value == data


async def test_large_arguments_come_back_whole(sandbox: Runner) -> None:
    assert (await sandbox.run("def f(x):\n    return x[::-1]", {"x": "ab" * 500_000})).value == "ba" * 500_000


async def test_plain_values_are_fitted_to_annotations(sandbox: Runner) -> None:
    source = """
from __future__ import annotations
from typing import Optional
def f(a: int, b: float, c: bool, d: str, e: Optional[int] = None, g: int | None = 3):
    return [a, b, c, d, e, g]
"""
    args = {"a": "7", "b": "1.5", "c": "false", "d": 12, "e": "4", "g": None}
    assert (await sandbox.run(source, args)).value == [7, 1.5, False, "12", 4, None]


async def test_value_that_does_not_fit_names_the_argument(sandbox: Runner) -> None:
    outcome = await sandbox.run("def f(count: int):\n    return count", {"count": "many"})
    assert outcome.error == "ValueError: argument 'count' should be int, not 'many'"


async def test_async_functions_are_awaited(sandbox: Runner) -> None:
    source = "import asyncio\nasync def f():\n    await asyncio.sleep(0)\n    return 'awaited'"
    assert (await sandbox.run(source)).value == "awaited"


async def test_what_json_cannot_hold_becomes_text(sandbox: Runner) -> None:
    source = """
import dataclasses, datetime
@dataclasses.dataclass
class Point:
    x: int
    when: datetime.date
def f():
    loop = []
    loop.append(loop)
    point = Point(1, datetime.date(2024, 1, 2))
    return [float('nan'), float('inf'), {1: {2}}, (1,), point, b'x', loop, '\\ud800', 1 + 2j]
"""
    expected = ["nan", "inf", {"1": [2]}, [1], {"x": 1, "when": "2024-01-02"}, "b'x'", ["[[...]]"], "?", "(1+2j)"]
    assert (await sandbox.run(source)).value == expected


async def test_output_of_the_tool_and_its_children_is_caught(sandbox: Runner) -> None:
    source = (
        "import os, sys\ndef f():\n    print('out')\n    print('err', file=sys.stderr)\n    os.system('echo child')"
    )
    outcome = await sandbox.run(source)
    assert (outcome.stdout, outcome.stderr) == ("out\nchild\n", "err\n")


async def test_error_is_one_line_and_the_traceback_is_the_tools_own(sandbox: Runner) -> None:
    source = "import json\n\ndef helper(text):\n    return json.loads(text)\n\ndef f():\n    return helper('{')"
    outcome = await sandbox.run(source)
    assert outcome.status == "error"
    assert outcome.error.startswith("JSONDecodeError: Expecting property name")
    assert outcome.error.endswith("(line 4)")
    assert [line for line in outcome.traceback.splitlines() if "File" in line] == [
        '  File "tool.py", line 7, in f',
        '  File "tool.py", line 4, in helper',
    ]


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("def f(:\n    pass", "SyntaxError: invalid syntax (line 1)"),
        (
            "def f():\n  return 1\n bad",
            "IndentationError: unindent does not match any outer indentation level (line 3)",
        ),
        ("def f():\n    raise SystemExit(3)", "SystemExit: the tool called sys.exit(3) instead of returning (line 2)"),
        ("import sys\nsys.exit()", "SystemExit: the tool called sys.exit(None) instead of returning (line 2)"),
        ("def g():\n    pass", "NameError: there is no function 'f' in the source; it defines: g"),
        ("", "NameError: there is no function 'f' in the source; it defines: nothing"),
        ("def f(a):\n    pass", "TypeError: f() missing 1 required positional argument: 'a'"),
        (
            "def f():\n    import numpy",
            "ModuleNotFoundError: No module named 'numpy'; a tool has the standard library and its packages (line 2)",
        ),
        ("def f():\n    raise ValueError('a\\nb')", "ValueError: a b (line 2)"),
        (
            "import agents_core",
            "ModuleNotFoundError: No module named 'agents_core'; a tool has the standard library and its packages (line 1)",
        ),
        ("def f():\n    return input()", "EOFError: EOF when reading a line (line 2)"),
    ],
)
async def test_errors_say_what_and_where(sandbox: Runner, source: str, error: str) -> None:
    outcome = await sandbox.run(source)
    assert (outcome.status, outcome.error) == ("error", error)


@pytest.mark.parametrize(
    "source",
    [
        "class E(Exception):\n    def __str__(self):\n        raise self\ndef f():\n    raise E",
        "class E(Exception):\n    def __str__(self):\n        return 'x' * 10**7\ndef f():\n    raise E",
        "class E(BaseException):\n    def __reduce__(self):\n        return (exit, ())\ndef f():\n    raise E",
        (
            "class M(type):\n    @property\n    def __name__(c):\n        raise c\n"
            "class E(Exception, metaclass=M):\n    pass\ndef f():\n    raise E"
        ),
        "class V:\n    def __str__(self):\n        raise KeyboardInterrupt\ndef f():\n    return V()",
        "class V:\n    def __getattr__(self, name):\n        raise ValueError(name)\ndef f():\n    return V()",
        "def f():\n    return f()",
        "import sys\ndef f(n=0):\n    sys.stdout = sys.stderr = sys.stdin = None\n    raise ValueError",
    ],
)
async def test_hostile_errors_are_told_as_errors(sandbox: Runner, source: str) -> None:
    outcome = await sandbox.run(source)
    assert outcome.status == "error"
    assert 0 < len(outcome.error) < 1200
    assert "\n" not in outcome.error


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ("ctypes.string_at(0)", "killed", "SIGSEGV"),
        ("os.abort()", "killed", "crash"),
        ("os._exit(0)", "killed", "exit code 0"),
        ("os._exit(3)", "killed", "exit code 3"),
        ("os.closerange(0, 256)", "killed", "before the function returned"),
        ("os.execv('/bin/true', ['true'])", "killed", "before the function returned"),
    ],
)
async def test_end_of_the_process_is_told(sandbox: Runner, body: str, status: str, words: str) -> None:
    outcome = await sandbox.run(f"import ctypes, os, sys\ndef f():\n    {body}")
    assert outcome.status == status
    assert words in outcome.error


async def test_bottomless_recursion_ends_at_the_memory_limit(sandbox: Runner) -> None:
    source = "import sys\nsys.setrecursionlimit(10**9)\ndef f():\n    return f()"
    assert (await sandbox.run(source, memory_bytes=8 * 2**20)).status in {"error", "killed"}


async def test_tool_that_forks_answers_once(sandbox: Runner) -> None:
    outcome = await sandbox.run("import os\ndef f():\n    os.fork()\n    return 'once'")
    assert outcome.value == "once"


async def test_threads_left_behind_do_not_hold_the_result(sandbox: Runner) -> None:
    source = (
        "import threading, time\ndef f():\n    threading.Thread(target=time.sleep, args=(60,)).start()\n    return 1"
    )
    assert (await sandbox.run(source)).value == 1


async def test_twenty_calls_at_once_see_their_own_arguments_only(sandbox: Runner) -> None:
    source = """
import gc, os, time
def f(n):
    open('mine', 'w').write(str(n))
    time.sleep(0.05)
    others = [o['n'] for o in gc.get_objects() if isinstance(o, dict) and isinstance(o.get('n'), int)]
    return [n, open('mine').read(), os.listdir('.'), sorted(set(others) - {n}), os.environ['N']]
"""
    outcomes = await sandbox.together(*[sandbox.run(source, {"n": n}, env={"N": str(n)}) for n in range(1000, 1020)])
    assert [o.value for o in outcomes] == [[n, str(n), ["mine"], [], str(n)] for n in range(1000, 1020)]


async def test_nothing_stays_for_the_next_call(sandbox: Runner) -> None:
    leave = """
import builtins, json, os, sys
def f():
    open('left', 'w').write('x')
    builtins.len = lambda x: 'owned'
    json.dumps = lambda x: 'owned'
    sys.modules['math'] = None
    sys.path.insert(0, os.getcwd())
    os.environ['LEFT'] = 'x'
    os.umask(0o777)
"""
    look = (
        "import json, math, os\ndef f():\n    return [os.listdir('.'), len('ab'), json.dumps(1), 'LEFT' in os.environ]"
    )
    for _ in range(3):  # As many as are prepared beforehand.
        assert (await sandbox.run(leave)).status == "error"  # It has broken its own Python.
    assert (await sandbox.run(look)).value == [[], 2, "1", False]


async def test_random_numbers_differ_between_calls(sandbox: Runner) -> None:
    source = "import random, uuid\ndef f():\n    return [random.random(), str(uuid.uuid4())]"
    values = [(await sandbox.run(source)).value for _ in range(3)]
    assert len({tuple(value) for value in values}) == 3
