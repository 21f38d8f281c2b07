"""Freedoms that a correct server has, one file per area; every file is read for its variants."""
