"""The vendors' pages as tests: what they send is replayed, what they get wrong is found.

:mod:`.pages` reads a page transcribed to data (``spec/pages/*.yaml``) into the records of
:mod:`.page`, :mod:`.lint` finds what is wrong inside it, :mod:`.replay` sends its examples with the
clients that it names, and :mod:`.contradictions` tells where the documents disagree.
"""
