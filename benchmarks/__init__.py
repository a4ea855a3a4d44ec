"""Speed and memory of what matters, beside the bars the project sets itself and beside its peers.

``python -m benchmarks`` measures all and prints a table; ``python -m benchmarks NAME …`` some of it.

Conventions
-----------
Whole processes, as a user starts them, warm: one run that does not count comes first. Programs that are
compared run in turns, A B A B. A figure is the median of its runs, with the least and the most of them;
CPU seconds are those of a process and of all it waited for. Linux only: memory is read from ``/proc``.
"""
