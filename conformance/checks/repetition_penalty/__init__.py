"""Checks of the parameters `repetition_penalty` and `repeat_penalty`."""
