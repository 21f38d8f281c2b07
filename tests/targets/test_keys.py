"""A key goes only where it was named for."""

import pytest

from conformance.targets.keys import default_key_env, why_not_sent

KEY = {"OPENAI_API_KEY": "sk-0123456789"}


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com/v1",
        "https://API.OpenAI.com/v1",
        "https://api.openai.com:443/v1",
        "https://api.openai.com",
    ],
)
def test_openai_gets_the_usual_key(url: str) -> None:
    assert default_key_env(url) == "OPENAI_API_KEY"
    assert why_not_sent(url, KEY, "--api-key-env") is None


@pytest.mark.parametrize(
    "url",
    [
        "http://api.openai.com/v1",
        "https://api.openai.com./v1",
        "https://api.openai.com:8443/v1",
        "https://api.openai.com.evil.example/v1",
        "https://api.openai.com@evil.example/v1",
        "https://api.openai.com:443@evil.example/v1",
        "https://evil.example/api.openai.com",
        "https://evil.example#api.openai.com",
        "https://xapi.openai.com/v1",
        "https://openai.com/v1",
        "https://api.openaı.com/v1",
        "https://api.openai.com\\.evil.example/v1",
        "http://127.0.0.1:8000/v1",
    ],
)
def test_other_hosts_get_no_unnamed_key(url: str) -> None:
    assert default_key_env(url) is None
    assert "set but not sent" in (why_not_sent(url, KEY, "--api-key-env") or "")


@pytest.mark.parametrize("environment", [{}, {"OPENAI_API_KEY": " "}])
def test_nothing_is_said_without_a_key(environment: dict[str, str]) -> None:
    assert why_not_sent("https://evil.example/v1", environment, "--api-key-env") is None
