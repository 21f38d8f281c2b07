"""The messages of checks that a report's sentence says in other words, by their ids.

A finding is recognised by what its messages are made from, never by their English text, which may
hold anything that an endpoint sends. A sentence without data, such as that of an older record, is
none of these and is shown as it is.
"""

from __future__ import annotations

from collections.abc import Mapping

from conformance.message import Argument, Message

VALUE = "{text}"
REFUSED = "refused with {status}: {message}"
EITHER = "{one} or {other}"

STATUS = "status {status}"
STATUS_AND_BODY = "status {status}: {body}"
STATUS_EACH_TIME = "status {status} each time"
STATUS_BESIDE_OTHERS = "status {status}, while other models are served"

CHOICES = "{count} choices"
ONE_CHOICE = "exactly one choice"

ABSENT = "{path}: {member} is a required property"
ABSENT_MEMBER = "{member} is a required property"
VIOLATION = "{path}: {message}"
SCHEMA_OF_RESPONSE = "a response that matches the schema"
SCHEMA_OF_CHUNK = "a chunk that matches the schema"
SCHEMA_OF_ERROR = "an error that matches the schema"
MEMBERS_OF_ERROR = "message, type, param and code"
NO_MEMBERS = "no {a}"

DIFFERENT = "{one} vs. {other}"
DIFFERENT_TWICE = "{one} vs. {other} (both reproduced)"
ONE_OF = "{name} one of {values}"
OTHER_THAN = "{name} other than {value}"
THAT = "{name} {expected}"

AMONG = "{seen} ({among})"
TALLY = "{count} of {total} responses"
TALLY_OF_TRAITS = "{count} of {total} responses: those with {traits}"

EQUAL_SAMPLES = (
    "{draws} equal samples of each of {prompts} prompts, {samples}; by the endpoint's own log "
    "probabilities their probability is at most {chance}"
)
EQUAL_SHUFFLED = (
    "{prompts} groups of {draws} equal samples, {samples}; in random order the probability is "
    "{chance}"
)
SOMETIMES = "sometimes {what}"
OUTLIERS = (
    "{odd} instead of {usual}, {returns} times in {rounds} repeats, although one token leads by "
    "{lead} nats or more before they diverge"
)
NOT_BEST = "{count} tokens that are not, first: {first}"
BETTER_ONE = "token {number} is {taken}, although {better} is better by {lead} nats"

IN_JSON = "{what} in JSON"
THE_BODY = "the body"
STREAM_EVENT = "a stream event"
ENVELOPE = 'an error envelope {{"error": {{…}}}}'
ENVELOPE_IN_EVENT = 'an event with {{"error": {{…}}}}'
STREAM_WITH_CHUNKS = "a stream with chunks"
OBJECT_IN_EVENT = "a JSON object in each event"
OBJECT_PER_EVENT = "one JSON object per event"
STREAM = "a stream"
ONE_BODY = "one body: {body}"
ONE_DOCUMENT = "one JSON document"
DOCUMENT = "a JSON document"
EVENTS = "events: {text}"


def made_from(message: object, *templates: str) -> Mapping[str, Argument] | None:
    """Return a message's arguments if it is made from one of some templates, otherwise None."""
    if isinstance(message, Message) and message.template in templates:
        return message.arguments
    return None


def number(argument: object) -> int | None:
    """Return an argument, or a message that is one, as a number; None if it is none."""
    value = made_from(argument, VALUE)
    written = str(value["text"] if value else argument)
    return int(written) if written.isdecimal() and len(written) < 10 else None


def alternatives(argument: object) -> tuple[str, ...]:
    """Return the values that an argument lists: ``400 or 422``."""
    either = made_from(argument, EITHER)
    if either is None:
        return (str(argument),)
    return (*alternatives(either["one"]), *alternatives(either["other"]))
