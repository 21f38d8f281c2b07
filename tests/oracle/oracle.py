"""The oracle: recover the sampled tokens, check them, then check the response."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import httpx

from tests.oracle.client import Json, ask
from tests.oracle.comparison import check_answer
from tests.oracle.model import Model
from tests.oracle.probability import uniforms
from tests.oracle.rendering import Candidate
from tests.oracle.request import CompletionRequest, Prompt, predictable, read
from tests.oracle.sampling import check_sampled
from tests.oracle.vocabulary import Vocabulary, decode

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
        request = read(body, self.vocabulary)
        if predictable(body):
            candidates = revealed or self.reveal(body)
            response = ask(self.client, body)
        else:
            # Nothing samples the same twice here, so the answer has to show its own tokens, all.
            assert request.logprobs is not None
            assert not request.stop
            assert request.best_of == request.n
            response = ask(self.client, body)
            candidates = self._candidates(request, response)
        check_answer(request, body, response, candidates, self.vocabulary)
        return response

    def reveal(self, body: Mapping[str, Any]) -> list[list[Candidate]]:
        """Each prompt's candidates, for a predictable request; every token is checked.

        The server is asked for all of them with their scores, and without what must have no say in
        what is sampled: `stop`, `echo`, `best_of`, `stream` and the like.
        """
        request = read(body, self.vocabulary)
        if request.max_tokens == 0:
            nothing = [self._candidate(prompt, ()) for prompt in request.prompts]
            return [[candidate] * request.best_of for candidate in nothing]
        non_streaming = {name: body[name] for name in SAMPLING if name in body}
        non_streaming |= {"n": request.best_of, "logprobs": 0}
        request = read(non_streaming, self.vocabulary)
        response = ask(self.client, non_streaming)
        candidates = self._candidates(request, response)
        check_answer(request, non_streaming, response, candidates, self.vocabulary)
        return candidates

    def text(self, candidate: Candidate) -> str:
        """What a candidate generated, stop sequences not looked at."""
        said = (token for token in candidate.sampled if token != self.vocabulary.end)
        return decode(b"".join(self.vocabulary.spellings[token] for token in said))

    def _candidates(self, request: CompletionRequest, response: Json) -> list[list[Candidate]]:
        """What was sampled, by the answer's own `logprobs`."""
        found = []
        choices = iter(response["choices"])
        for place, prompt in enumerate(request.prompts):
            echoed = len(prompt.ids) if request.echo else 0
            found.append([])
            for index, choice in enumerate(islice(choices, request.n)):
                names = choice["logprobs"]["tokens"][echoed:]
                ids = tuple(self.vocabulary.ids[name] for name in names)
                found[-1].append(self._candidate(prompt, ids))
                draws = None
                if request.seed is not None:
                    draws = uniforms(request.seed, place, index, len(ids))
                check_sampled(request, found[-1][-1], draws, self.vocabulary)
        return found

    def _candidate(self, prompt: Prompt, sampled: tuple[int, ...]) -> Candidate:
        return Candidate(prompt, sampled, self.model.read((*prompt.read, *sampled)))
