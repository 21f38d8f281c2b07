"""Checks that parameters keep their meaning when they are combined."""
