"""llama.cpp's own HTTP server: ``python llama_cpp_server.py MODEL.gguf ALIAS PORT KEY``.

Runs in an environment that has ``xllamacpp``, where this project need not be installed.
"""

import sys
import time

import xllamacpp

CONTEXT_TOKENS = 1024
PARALLEL = 4
"""Requests that are served at once, which is also the largest ``n``."""


def main(model: str, alias: str, port: int, key: str) -> None:
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.model_alias = {alias}
    params.n_ctx = CONTEXT_TOKENS * PARALLEL
    params.n_parallel = PARALLEL
    params.n_gpu_layers = 0
    # Its threads wait for each other without pause, which on a busy machine takes minutes.
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    params.api_keys = [key]
    params.hostnames = ["127.0.0.1"]
    params.port = port
    server = xllamacpp.Server(params)
    while server is not None:  # it serves in threads of its own, as long as it exists
        time.sleep(60)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
