"""A small client of the server for short tests."""

import json
from dataclasses import dataclass
from typing import Any

import httpx

MODEL = "gpt-3.5-turbo-instruct"


@dataclass(frozen=True)
class Api:
    client: httpx.Client

    def post(self, **body: Any) -> httpx.Response:
        return self.client.post("/completions", json={"model": MODEL, **body})

    def raw(self, body: bytes, **headers: str) -> httpx.Response:
        headers = {"Content-Type": "application/json", **headers}
        return self.client.post("/completions", content=body, headers=headers)

    def complete(self, **body: Any) -> dict[str, Any]:
        response = self.post(**body)
        assert response.status_code == 200, response.text
        result: dict[str, Any] = response.json()
        return result

    def choice(self, **body: Any) -> dict[str, Any]:
        """The first choice of a non-streaming response."""
        choice: dict[str, Any] = self.complete(**body)["choices"][0]
        return choice

    def text(self, **body: Any) -> str:
        text: str = self.choice(**body)["text"]
        return text

    def refusal(self, status: int = 400, **body: Any) -> dict[str, Any]:
        """The error of a request that must be refused."""
        return envelope(self.post(**body), status)

    def chunks(self, **body: Any) -> list[dict[str, Any]]:
        """The events of a stream; checks its framing on the way."""
        request = {"model": MODEL, "stream": True, **body}
        with self.client.stream("POST", "/completions", json=request) as response:
            raw = response.read().decode("utf-8")
            assert response.status_code == 200, raw
            assert response.headers["content-type"].startswith("text/event-stream")
        events = raw.split("\n\n")
        assert events[-2:] == ["data: [DONE]", ""]
        assert raw.count("[DONE]") == 1
        assert all(event.startswith("data: ") and "\n" not in event for event in events[:-1])
        return [json.loads(event.removeprefix("data: ")) for event in events[:-2]]

    def joined(self, **body: Any) -> dict[int, dict[str, Any]]:
        """The joined choices of a stream by index; each must end exactly once, and last."""
        choices: dict[int, dict[str, Any]] = {}
        for chunk in self.chunks(**body):
            for part in chunk["choices"]:
                choice = choices.setdefault(part["index"], {"text": "", "logprobs": None})
                assert "finish_reason" not in choice, "a chunk after the one that finished"
                choice["text"] += part["text"]
                if part["logprobs"] is not None:
                    arrays = choice["logprobs"] or {name: [] for name in part["logprobs"]}
                    choice["logprobs"] = {
                        name: values + part["logprobs"][name] for name, values in arrays.items()
                    }
                if part["finish_reason"] is not None:
                    choice["finish_reason"] = part["finish_reason"]
        assert all("finish_reason" in choice for choice in choices.values())
        return choices


def envelope(response: httpx.Response, status: int) -> dict[str, Any]:
    """The error in a response, after checking that it is the envelope and nothing else."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("application/json")
    body = response.json()
    assert set(body) == {"error"}
    error: dict[str, Any] = body["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert isinstance(error["message"], str)
    assert error["message"]
    assert "Traceback" not in response.text
    return error
