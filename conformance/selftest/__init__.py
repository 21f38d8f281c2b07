"""The suite held against servers whose faults are known: what it finds, and whom it accuses.

:mod:`.catalogue` is what the bundled server can show, :mod:`.trials` what is run of it,
:mod:`.outcome` what came of one run and :mod:`.matrix` of all. :mod:`.workers` alone does anything.
"""
