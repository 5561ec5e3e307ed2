"""What runs on the far side of the wall: standard library only, never imported by a tool, never given a secret.

``zygote`` waits with Python started and modules loaded. For each call it forks a supervisor (``supervise``), which
forks the process that first shuts itself in (``cage``, ``seccomp``, ``landlock``) and then runs the tool (``harness``).
"""
