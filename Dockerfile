# The suite with the reference server, without privileges:
#
#   docker build -t conformance .
#   docker run --rm --read-only --tmpfs /tmp -v "$PWD/reports:/reports" \
#     -e EXAMPLE_KEY conformance run --base-url https://api.example.com/v1 --model some-model \
#     --api-key-env EXAMPLE_KEY --out today
#
# Without --base-url it tests the reference server inside. To serve that one instead:
#
#   docker run --rm --entrypoint reference-server -p 8080:8080 conformance --host 0.0.0.0 --port 8080

FROM python:3.13-slim AS build
WORKDIR /src
COPY . .
RUN python -m venv /opt/conformance
# The locked versions, each held to its hashes.
RUN /opt/conformance/bin/python -m pip install --no-cache-dir --no-deps --require-hashes -r requirements/run.txt
RUN /opt/conformance/bin/python -m pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13-slim
COPY --from=build /opt/conformance /opt/conformance
# Any user may write reports, as with docker run --user "$(id -u)".
RUN mkdir -p /reports && chmod 1777 /reports
ENV PATH=/opt/conformance/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUTF8=1 HOME=/tmp
USER 10001:10001
WORKDIR /reports
ENTRYPOINT ["conformance"]
CMD ["--help"]
