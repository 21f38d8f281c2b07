"""Validate the vendors' documentation.

:mod:`.page_reader` reads a page transcribed to data (``spec/pages/*.yaml``) into the records of
:mod:`.page`, :mod:`.lint` finds defects in it, :mod:`.replay` sends its examples with the clients
that it names, and :mod:`.contradictions` compares the documents.
"""
