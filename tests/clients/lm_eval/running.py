"""lm-evaluation-harness as a process of its environment, on the small tasks of this folder."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.environments import python_of
from tests.servers import RunningServer

TASKS = Path(__file__).parent
PINS = TASKS.parent / "environments" / "lm-eval.txt"
CHECKPOINT = TASKS.parents[2] / "reference_server" / "weights"


def lm_eval_python() -> Path:
    """The interpreter of its environment, which is made if it does not exist."""
    return python_of(PINS, layered=True)


def lm_eval(
    server: RunningServer,
    folder: Path,
    tasks: tuple[str, ...],
    *,
    batch_size: int = 1,
    model: str = "davinci-002",
    **settings: object,
) -> subprocess.CompletedProcess[str]:
    """Evaluate the served model.

    Args:
        server: the endpoint.
        folder: where the results are written.
        tasks: names of tasks in this folder.
        batch_size: prompts in each request.
        model: the name that requests contain.
        settings: further arguments of the model ``local-completions``.
    """
    arguments = {
        "model": model,
        "base_url": f"{server.base_url}/completions",
        "tokenizer": CHECKPOINT,
        "tokenizer_backend": "huggingface",
        "max_retries": 1,
        **settings,
    }
    command = [
        *(lm_eval_python(), "-m", "lm_eval", "run", "--model", "local-completions"),
        *("--model_args", ",".join(f"{name}={value}" for name, value in arguments.items())),
        *("--include_path", ".", "--tasks", ",".join(tasks)),
        *("--batch_size", batch_size, "--output_path", folder, "--log_samples"),
    ]
    offline = {
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "HF_HOME": str(folder / "cache"),
        "OPENAI_API_KEY": server.key,
    }
    return subprocess.run(
        [str(word) for word in command],
        cwd=TASKS,
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=600,
        env={**os.environ, **offline},
    )
