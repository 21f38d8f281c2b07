"""The rules of servers and services that implement the endpoint today, each from its documentation.

One module each. A documented parameter that this server cannot serve is rejected, never ignored.
"""
