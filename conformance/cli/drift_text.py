"""A comparison of two recordings, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.drift.comparison import LEVEL, NEEDED, SIMULATED, Comparison, Outcome
from conformance.drift.recording import Method, Recording
from conformance.language import Language, Text
from conformance.report.sanitize import cut, line

MAX_NAME_CHARS = 100


def told(result: Comparison, old: Recording, new: Recording, language: Language) -> Iterator[str]:
    """Yield the lines that describe a comparison, the outcome first."""
    yield _OUTCOMES[result.outcome].of(language)
    for recording, count in zip((old, new), result.answers, strict=True):
        text = _RECORDING.format(
            at=cut(line(recording.started_at), 25).replace("T", " "),
            where=cut(line(recording.target or recording.base_url), MAX_NAME_CHARS),
            model=cut(line(recording.model), MAX_NAME_CHARS),
            count=count,
        )
        yield f"  {text.of(language)}"
    if result.outcome is Outcome.TOO_FEW:
        return
    of_logprobs = result.method is Method.LOGPROBS
    seen = (_SEEN_LOGPROBS if of_logprobs else _SEEN_TEXTS).format(
        distance=_number(result.distance), noise=_number(result.noise), p=f"{result.p:.2g}"
    )
    yield f"  {seen.of(language)}"
    if result.outcome is Outcome.DIFFERS:
        yield f"  {_CAUSES.of(language)}"
        return
    if result.detectable is None:
        yield f"  {_NOTHING_DETECTABLE.of(language)}"
        return
    power = (_POWER_LOGPROBS if of_logprobs else _POWER_TEXTS).format(
        effect=_number(result.detectable), needed=NEEDED, simulated=SIMULATED
    )
    yield f"  {power.of(language)}"


def _number(value: float) -> str:
    return "0" if value == 0 else f"{value:.2g}"


_OUTCOMES = {
    Outcome.DIFFERS: Text("The answers differ.", "两次录制的回答不同。"),
    Outcome.NO_DIFFERENCE: Text("No difference seen.", "未见差异。"),
    Outcome.TOO_FEW: Text(
        "Inconclusive: too few answers to tell anything; record what is missing.",
        "无法判定：回答太少；请补录缺少的回答。",
    ),
}
_RECORDING = Text(
    "{at}: {where}, {model}, answers: {count}", "{at}：{where}，{model}，回答数：{count}"
)
_SEEN_LOGPROBS = Text(
    "Log probabilities differ by {distance} nats on average; within a recording they vary with a "
    f"standard deviation of {{noise}}. p = {{p}}; at most {LEVEL:g} is reported as a difference.",
    "对数概率平均相差 {distance} 奈特；同一录制内的标准差为 {noise}。"
    f"p = {{p}}；p 不超过 {LEVEL:g} 时报告为差异。",
)
_SEEN_TEXTS = Text(
    "Shares of texts differ by {distance} on average; within a recording an answer varies with a "
    f"standard deviation of {{noise}}. p = {{p}}; at most {LEVEL:g} is reported as a difference.",
    "各文本所占份额平均相差 {distance}；同一录制内单个回答的标准差为 {noise}。"
    f"p = {{p}}；p 不超过 {LEVEL:g} 时报告为差异。",
)
_CAUSES = Text(
    "Other weights, another precision, other software or hardware, or an instruction put before "
    "the prompt can be the cause; this test does not tell which.",
    "可能的原因：权重、精度、软件或硬件不同，或在 prompt 前加入了指令；本检验不能区分。",
)
_NOTHING_DETECTABLE = Text(
    "These recordings could not have shown any change; record with more --rounds.",
    "这两次录制无法显示任何变化；请用更大的 --rounds 录制。",
)
_POWER_LOGPROBS = Text(
    "A shift of every log probability by {effect} nats would have been seen ({needed} of "
    "{simulated} simulated comparisons with this noise); smaller changes may be there.",
    "若每个对数概率都偏移 {effect} 奈特，就能看到（以此噪声模拟 {simulated} 次比较，至少 {needed} "
    "次发现）；更小的变化可能存在。",
)
_POWER_TEXTS = Text(
    "It would have been seen if {effect} of the answers had become another text ({needed} of "
    "{simulated} simulated comparisons); smaller changes may be there.",
    "若回答中有 {effect} 的份额变为其他文本，就能看到（模拟 {simulated} 次比较，至少 {needed} 次"
    "发现）；更小的变化可能存在。",
)
