"""Public reports of what no test of a contract finds, each with the reason.

They are data and no faults: ``docs/public-reports.md`` lists them behind those that are rebuilt.
"""

from __future__ import annotations

from reference_server.behaviour.reports import Unseen

GITHUB = "https://github.com"

BRINGS_DOWN = "the suite sends nothing that is known to bring down a server that others use"

UNSEEN = (
    Unseen(
        "With more than a fixed number of waiting requests, the next one gets status 503.",
        (f"{GITHUB}/LostRuins/koboldcpp/issues/2481",),
        "Not promised otherwise: how many requests are served at once is the endpoint's choice, "
        "and 503 is the right status.",
    ),
    Unseen(
        "While a long prompt is read, a stream has no comments that keep the connection open.",
        (f"{GITHUB}/LostRuins/koboldcpp/issues/2481",),
        "Not promised otherwise: comments in a stream are allowed, and no document requires them.",
    ),
    Unseen(
        "In a stream of sentences, a chunk lists the first token of the next sentence as well.",
        (f"{GITHUB}/foundation-model-stack/fms-guardrails-orchestrator/issues/477",),
        "Not promised otherwise: joined, text and tokens agree, and how they are divided into "
        "chunks is free.",
    ),
    Unseen(
        "A start token is put before each prompt, or is not, unlike in other servers.",
        (f"{GITHUB}/ai-dynamo/dynamo/pull/4610", f"{GITHUB}/NVIDIA/TensorRT-LLM/pull/4583"),
        "Not promised otherwise: the two reports ask for the opposite of each other, and which is "
        "right depends on the model.",
    ),
    Unseen(
        "A generation that fails in its middle ends with the finish reason `stop`.",
        (f"{GITHUB}/ohdearquant/lattice/issues/933",),
        "No request makes it happen, and the response is that of a model which ends there.",
    ),
    Unseen(
        "If the engine fails before the first token, the stream consists of `[DONE]` alone.",
        (f"{GITHUB}/vllm-project/vllm/pull/40986",),
        "No request makes it happen: the engine has to fail. A stream without a choice is found "
        "wherever it appears.",
    ),
    Unseen(
        "A stream that was cut off on its way is cached, and sent again as a complete response.",
        (f"{GITHUB}/gonka-ai/gonka/issues/1722",),
        "No request makes it happen: the stream has to be cut off before the cache. Streams "
        "without an end are found wherever they appear.",
    ),
    Unseen(
        "A `temperature` of `NaN` stops the engine.",
        (
            f"{GITHUB}/sgl-project/sglang/pull/28153",
            f"{GITHUB}/vllm-project/vllm/pull/45116",
            f"{GITHUB}/raullenchai/Rapid-MLX/pull/740",
        ),
        f"Not sent: {BRINGS_DOWN}.",
    ),
    Unseen(
        "`echo` with `logprobs` of a prompt of 8,000 tokens takes all memory and stops the engine.",
        (f"{GITHUB}/vllm-project/vllm/issues/10596",),
        f"Not sent: {BRINGS_DOWN}, and the prompt alone has more tokens than the standard tier "
        "may use.",
    ),
    Unseen(
        "The server goes on generating after the client has disconnected.",
        (
            f"{GITHUB}/sgl-project/sglang/issues/36333",
            f"{GITHUB}/sgl-project/mini-sglang/issues/15",
        ),
        "Not in any response: it costs the endpoint computing time.",
    ),
    Unseen(
        "What the server returns once the client has disconnected is no error.",
        (f"{GITHUB}/InternLM/lmdeploy/pull/4811",),
        "Not in any response: nobody is left to receive it.",
    ),
)
