"""Small programs, each of which uses one client library as a page's code does.

A driver reads JSON from standard input, ``{"base_url": …, "request": {…}}``, and the key from the
environment variable ``OPENAI_API_KEY``, as both ``openai`` packages do. It writes one line of JSON
to standard output::

    {"failure": "BadRequestError: …" or null,   the client's exception
     "status": 200 or null,                      the status, if the client exposes it
     "content_type": "application/json" or null,
     "answer": …,                                a non-streaming response as the client parses it
     "chunks": [...] or null,                    the chunks of a stream, also of an incomplete one
     "raw": "…" or null}                         the body, if the client exposes it as text

Drivers run in separate processes, because the suite does not depend on their libraries, and an
endpoint may hang or flood a client.
"""
