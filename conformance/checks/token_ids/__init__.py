"""Checks of the parameters `return_token_ids` and `return_tokens_as_token_ids`."""
