"""Send the requests of a record to its server with curl."""

import json
import os
import shlex
import subprocess
from collections.abc import Iterator

from tests.field.record import Record, Shown
from tests.field.servers import Endpoint

NOBODYS_KEY = "sk-this-key-was-never-issued"


def body_of(shown: Shown, model: str) -> str:
    """The request's body as it is sent."""
    if isinstance(shown.send, str):
        return shown.send
    return json.dumps({"model": model, **shown.send}, ensure_ascii=False)


def curl_of(shown: Shown, model: str) -> str:
    """The command for a person, with ``$BASE`` and ``$KEY`` in place of the address and the key."""
    keys = {"own": "$KEY", "wrong": NOBODYS_KEY}
    authorization = f'-H "Authorization: Bearer {keys[shown.key]}" ' if shown.key in keys else ""
    kind = "-H 'Content-Type: application/json'"
    return f"curl $BASE/completions {authorization}{kind} -d {shlex.quote(body_of(shown, model))}"


def ask(shown: Shown, endpoint: Endpoint) -> tuple[int, str, str]:
    """Run the command; returns the status, the content type without parameters and the body."""
    told = r"\n%{content_type}\n%{http_code}"
    options = f"--silent --max-time {shown.seconds} --write-out '{told}'"
    result = subprocess.run(
        ["bash", "-c", f"{curl_of(shown, endpoint.model)} {options}"],
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "BASE": endpoint.base_url, "KEY": endpoint.key},
    )
    body, kind, status = result.stdout.rsplit("\n", 2)
    return int(status), kind.partition(";")[0], body


def unlike(record: Record, endpoint: Endpoint) -> Iterator[str]:
    """Send the recorded requests, and describe responses that differ from the record."""
    for known in record.deviations:
        for shown in known.shows:
            status, kind, body = ask(shown, endpoint)
            wrong = [f"no {part!r}" for part in shown.has if part not in body]
            wrong += [repr(part) for part in shown.lacks if part in body]
            if status != shown.status:
                wrong.insert(0, f"status {status}")
            if shown.type not in (None, kind):
                wrong.append(f"content type {kind}")
            if shown.again is not None:
                same = text_in(ask(shown, endpoint)[2]) == text_in(body)
                wrong += [] if same == (shown.again == "same") else [f"not {shown.again} again"]
            if wrong:
                command = curl_of(shown, endpoint.model)
                yield f"{known.what}\n  {command}\n  {'; '.join(wrong)} in: {body[:400]}"


def text_in(body: str) -> str:
    """The text of the first choice of a non-streaming response."""
    return str(json.loads(body)["choices"][0]["text"])
