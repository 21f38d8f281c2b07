"""From a request body to work for the model, and from its output to a response body."""
