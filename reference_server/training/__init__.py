"""How the reference server's small language model is made, from raw text to shipped weights.

Run `python -m reference_server.training --help`; the steps are `corpus`, `tokenizer`, `train` and
`export`, in this order. None of it is needed to run the server.
"""
