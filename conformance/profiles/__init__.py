"""Clients of the endpoint as data, and what a run shows of them.

A profile (``spec/profiles/*.yaml``, or a file of the user's own) states what a named client sends,
what it reads, and what it does where it cannot. :mod:`.reading` reads profiles, :mod:`.readings`
has what can be read of a response, and :mod:`.judging` tells from the exchanges and findings of a
run whether each need is met. Nothing here sends anything.
"""

from conformance.profiles.judging import Sent, readiness_of
from conformance.profiles.profile import ClientRequest, Need, Profile, ReadSource, Shown
from conformance.profiles.reading import (
    ProfileError,
    bundled_names,
    bundled_profiles,
    load_profile,
)
from conformance.profiles.readings import COMPARISONS, READINGS

__all__ = [
    "COMPARISONS",
    "READINGS",
    "ClientRequest",
    "Need",
    "Profile",
    "ProfileError",
    "ReadSource",
    "Sent",
    "Shown",
    "bundled_names",
    "bundled_profiles",
    "load_profile",
    "readiness_of",
]
