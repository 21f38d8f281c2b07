"""Checks of parameters that say what a text has to follow: a schema, an expression, a grammar."""
