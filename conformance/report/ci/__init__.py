"""Formats for CI systems: SARIF, GitLab's Code Quality, GitHub's annotations, TAP.

Each is a function from a run to text. All of them show the same problems in the same order
(:mod:`.problems`), each at a place in the user's repository (:mod:`.location`).
"""
