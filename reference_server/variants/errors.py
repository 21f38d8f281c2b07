"""The fields of errors, and how they are written."""

from __future__ import annotations

import json

from reference_server.behaviour.builders import errors
from reference_server.behaviour.messages import Behaviour, Body, ClientRequest, ServerResponse
from reference_server.behaviour.registry import variant
from reference_server.behaviour.rewrite import Rewrite


@variant("older-validator")
def older_validator() -> Behaviour:
    """A 400 names its parameter only in the message: ``param`` and ``code`` are null."""

    def change(_: ClientRequest, got: ServerResponse) -> ServerResponse:
        if got.status != 400:
            return got
        inner = got.body["error"]
        message = f"{inner['message']} ({inner['param']})" if inner["param"] else inner["message"]
        return got.with_body({"error": {**inner, "message": message, "param": None, "code": None}})

    return errors(change)


@variant("newer-validator")
def newer_validator() -> Behaviour:
    """A 400 always has a ``code``, including errors for which the live API has none."""

    def change(_: ClientRequest, got: ServerResponse) -> ServerResponse:
        if got.status != 400:
            return got
        inner = got.body["error"]
        return got.with_body({"error": {**inner, "code": inner["code"] or "invalid_value"}})

    return errors(change)


@variant("chinese-errors")
def chinese_errors() -> Behaviour:
    """Error messages are in Chinese and contain the parameter's name."""

    def refusal(_: Body, envelope: Body) -> Body:
        inner = envelope["error"]
        return {"error": {**inner, "message": f"请求参数错误:{inner['param'] or '请检查请求'}"}}

    return Rewrite(refusal=refusal)


@variant("errors-with-extras")
def errors_with_extras() -> Behaviour:
    """Errors have more than the four fields: a request id next to the error, and details in it."""

    def refusal(_: Body, envelope: Body) -> Body:
        inner = {**envelope["error"], "innererror": {"code": None}, "details": []}
        return {"error": inner, "request_id": "req_7", "event_id": None}

    return Rewrite(refusal=refusal)


@variant("errors-with-links")
def errors_with_links() -> Behaviour:
    """Error messages end with a link to a manual, whose anchor is another parameter."""

    def refusal(_: Body, envelope: Body) -> Body:
        more = " See https://platform.example.com/docs/api-reference/completions#n for details."
        inner = envelope["error"]
        return {"error": {**inner, "message": inner["message"] + more}}

    return Rewrite(refusal=refusal)


@variant("errors-with-charset")
def errors_with_charset() -> Behaviour:
    """Errors have the content type ``application/json; charset=utf-8``."""
    return errors(lambda _, got: got.with_header("content-type", "application/json; charset=utf-8"))


@variant("errors-indented")
def errors_indented() -> Behaviour:
    """Errors are indented, and non-ASCII characters are escaped."""

    def change(_: ClientRequest, got: ServerResponse) -> ServerResponse:
        return got.with_raw(json.dumps(got.body, indent=2).encode() + b"\n")

    return errors(change)


@variant("vllm-errors")
def vllm_errors() -> Behaviour:
    """A 400 has vLLM's ``type``, no ``param``, and its status as ``code``."""

    def change(_: ClientRequest, got: ServerResponse) -> ServerResponse:
        if got.status != 400:
            return got
        inner = got.body["error"]
        result = {
            "message": inner["message"],
            "type": "BadRequestError",
            "param": None,
            "code": 400,
        }
        return got.with_body({"error": result})

    return errors(change)


@variant("errors-in-words")
def errors_in_words() -> Behaviour:
    """Errors have no ``param`` and name it in words: ``Frequency penalty is invalid``."""

    def refusal(_: Body, envelope: Body) -> Body:
        inner = envelope["error"]
        name = (inner["param"] or "").split(".")[0].split("[")[0]
        spoken = {"n": "number of completions"}.get(name, name.replace("_", " "))
        message = f"{spoken.capitalize()} is invalid. {inner['message'] if not name else ''}"
        if any(character.isdigit() for character in inner["message"]):
            message = f"{message}{inner['message']}"  # the counts of a context that is too small
        return {"error": {**inner, "message": message, "param": None}}

    return Rewrite(refusal=refusal)


@variant("params-as-paths")
def params_as_paths() -> Behaviour:
    """``param`` is the path to the value in the request, as in validators."""

    def refusal(_: Body, envelope: Body) -> Body:
        inner = envelope["error"]
        path = inner["param"] and f"body.{inner['param']}"
        return {"error": {**inner, "param": path}}

    return Rewrite(refusal=refusal)


@variant("params-as-members")
def params_as_members() -> Behaviour:
    """An error in an object names the member alone: ``include_usage``, not ``stream_options``."""

    def refusal(_: Body, envelope: Body) -> Body:
        inner = envelope["error"]
        path = inner["param"] or ""
        if "." not in path:
            return envelope
        member = path.rpartition(".")[2]
        message = f"Field '{member}': the value has the wrong type"
        return {"error": {**inner, "message": message, "param": member}}

    return Rewrite(refusal=refusal)
