"""Programs that pipelines call, as shell scripts; ``PYTHON`` is the interpreter of the tests."""

PROGRAMS = {
    # One check is enough to see that a pipeline works, and a server to compare with takes seconds.
    "conformance": """#!/bin/sh
if [ "$1" = run ]; then shift; set -- run --reference none --select stop.five-refused "$@"; fi
exec PYTHON -m conformance "$@"
""",
    "pip": '#!/bin/sh\necho "pip $*" >> "$CALLS"\n',
    # Runs what stands behind the image's name in the folder that is mounted.
    "docker": """#!/bin/sh
echo "docker $*" >> "$CALLS"
if [ "$1" = build ]; then exit 0; fi
while [ "$1" != conformance ]; do
  if [ "$1" = -v ]; then cd "${2%%:*}" || exit 1; fi
  shift
done
exec "$@"
""",
}
