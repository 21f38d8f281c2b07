"""The self-test: run the suite against servers with known faults (mutation testing).

:mod:`.catalogue` reads the bundled server's faults and variants, :mod:`.trials` plans the runs,
:mod:`.workers` distributes them to processes and :mod:`.execution` makes one, :mod:`.outcome` is
the result of one run and :mod:`.matrix` of all.

Whether findings are true is measured apart: :mod:`.attribution` judges what :mod:`.planted_run`
runs, and :mod:`.reproduction` compares the answers to printed commands.
"""
