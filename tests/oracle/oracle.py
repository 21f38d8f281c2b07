"""The second reading as a whole: learn what was sampled, judge it, then judge the answer itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import httpx

from tests.oracle.agree import check_answer
from tests.oracle.asked import Asked, Prompt, predictable, read
from tests.oracle.asking import Json, ask
from tests.oracle.chance import uniforms
from tests.oracle.model import Model
from tests.oracle.sampled import check_sampled
from tests.oracle.vocabulary import Vocabulary, decode
from tests.oracle.written import Candidate

MODEL = "gpt-3.5-turbo-instruct"

SAMPLING = (
    *("model", "prompt", "suffix", "max_tokens", "temperature", "top_p", "seed"),
    *("presence_penalty", "frequency_penalty", "logit_bias"),
)
"""What decides which tokens are sampled; all the rest of a request must have no say in it."""


@dataclass(frozen=True)
class Oracle:
    """Knows what a server has to answer, and asks it."""

    client: httpx.Client
    model: Model
    vocabulary: Vocabulary

    def check(self, body: Mapping[str, Any], revealed: list[list[Candidate]] | None = None) -> Json:
        """Ask, and raise AssertionError unless the answer is right in every field; returns it."""
        asked = read(body, self.vocabulary)
        if predictable(body):
            candidates = revealed or self.reveal(body)
            answer = ask(self.client, body)
        else:
            # Nothing samples the same twice here, so the answer has to show its own tokens, all.
            assert asked.logprobs is not None
            assert not asked.stop
            assert asked.best_of == asked.n
            answer = ask(self.client, body)
            candidates = self._candidates(asked, answer)
        check_answer(asked, body, answer, candidates, self.vocabulary)
        return answer

    def reveal(self, body: Mapping[str, Any]) -> list[list[Candidate]]:
        """Each prompt's candidates, for a predictable request; every token is checked.

        The server is asked for all of them with their scores, and without what must have no say in
        what is sampled: `stop`, `echo`, `best_of`, `stream` and the like.
        """
        asked = read(body, self.vocabulary)
        if asked.max_tokens == 0:
            nothing = [self._candidate(prompt, ()) for prompt in asked.prompts]
            return [[candidate] * asked.best_of for candidate in nothing]
        plain = {name: body[name] for name in SAMPLING if name in body}
        plain |= {"n": asked.best_of, "logprobs": 0}
        asked = read(plain, self.vocabulary)
        answer = ask(self.client, plain)
        candidates = self._candidates(asked, answer)
        check_answer(asked, plain, answer, candidates, self.vocabulary)
        return candidates

    def text(self, candidate: Candidate) -> str:
        """What a candidate generated, stop sequences not looked at."""
        said = (token for token in candidate.sampled if token != self.vocabulary.end)
        return decode(b"".join(self.vocabulary.spellings[token] for token in said))

    def _candidates(self, asked: Asked, answer: Json) -> list[list[Candidate]]:
        """What was sampled, by the answer's own `logprobs`."""
        found = []
        choices = iter(answer["choices"])
        for place, prompt in enumerate(asked.prompts):
            echoed = len(prompt.ids) if asked.echo else 0
            found.append([])
            for index, choice in enumerate(islice(choices, asked.n)):
                names = choice["logprobs"]["tokens"][echoed:]
                ids = tuple(self.vocabulary.ids[name] for name in names)
                found[-1].append(self._candidate(prompt, ids))
                draws = None
                if asked.seed is not None:
                    draws = uniforms(asked.seed, place, index, len(ids))
                check_sampled(asked, found[-1][-1], draws, self.vocabulary)
        return found

    def _candidate(self, prompt: Prompt, sampled: tuple[int, ...]) -> Candidate:
        return Candidate(prompt, sampled, self.model.read((*prompt.read, *sampled)))
