"""Where it was measured."""

import os
import platform
import subprocess
from pathlib import Path

from agents_core.embedded.binaries import folder

BUSY_PER_CORE = 0.25


def described() -> str:
    """The machine in one line of Markdown."""
    return (
        f"{os.cpu_count()} cores, {_cpu_model()}; {platform.system()} {platform.release()}; "
        f"Python {platform.python_version()}; PostgreSQL {_postgres()}; load average {os.getloadavg()[0]:.2f} at the start."
    )


def warning() -> str:
    """What to know about the figures when others use the machine too; empty when nobody does."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load <= BUSY_PER_CORE * cores:
        return ""
    return (
        f"**The machine was busy (load average {load:.2f} on {cores} cores) before the first measurement:** "
        "trust the ratios and the CPU times, not the times."
    )


def _postgres() -> str:
    said = subprocess.check_output([folder() / "postgres", "--version"], text=True)
    return str(said.split()[-1])


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
