"""Tiny programs, each of which uses one client library as a page's code does.

The order comes as JSON on standard input, ``{"base_url": …, "request": {…}}``, the key in the
environment variable ``OPENAI_API_KEY``, which is where both ``openai`` packages look for it. The
reply goes to standard output as one line of JSON::

    {"failure": "BadRequestError: …" or null,   what the client threw
     "status": 200 or null,                      of the answer, where the client tells it
     "content_type": "application/json" or null,
     "answer": …,                                a plain answer as the client's objects give it
     "chunks": [...] or null,                    a stream's, as far as it came
     "raw": "…" or null}                         the body, where the client shows it as text

They run as processes of their own: what they use is no dependency of the suite, and an endpoint
that hangs or floods a client takes nothing else along.
"""
