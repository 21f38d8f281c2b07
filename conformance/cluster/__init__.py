"""Runs on the workers of a Dask cluster: who does what is here, records are the caller's.

    async with open_cluster(Local(2), regions=()) as cluster:
        await judge_all(cluster, work, landing)

A worker gets the name of a target and asks for the rest. It sends each event of the run back as it
happens; so what a lost worker costs is what was in flight, and the next one takes over the record.
Keys are read on the worker, by the names of their variables, and never leave it. Dask is optional
(the extra ``distributed``) and imported only where it is used.
"""
