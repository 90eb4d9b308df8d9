"""The checks that tell a value from text of the same shape, by noun; `registry` has them by their names.

Each takes the text that a rule's pattern matched and its surroundings, and returns a `Verdict`, or None when it is no
such value. None of them knows where the text came from.
"""
