"""Run checks against an endpoint: selection, preflight, the run itself, estimates and replays."""
