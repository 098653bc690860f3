# The program with its dashboard: `docker compose up` runs it with its jobs. The Lambda image is runtime/Dockerfile.
# Every package has wheels for amd64 and arm64, so both are built from the same lines.
ARG BASE=python:3.13-slim-trixie
FROM ${BASE} AS build
RUN python3 -m venv /opt/community-metrics && python3 -m venv /opt/build
COPY requirements.lock requirements-build.lock /source/
# what builds the program is checked by hash too, and stays in this stage
RUN /opt/community-metrics/bin/pip install --no-cache-dir --disable-pip-version-check \
    --require-hashes --only-binary=:all: -r /source/requirements.lock \
    && /opt/build/bin/pip install --no-cache-dir --disable-pip-version-check \
    --require-hashes --only-binary=:all: -r /source/requirements-build.lock
COPY pyproject.toml README.md CHANGELOG.md LICENSE /source/
COPY seed_data /source/seed_data
COPY runtime/community_metrics /source/runtime/community_metrics
RUN /opt/build/bin/pip wheel --disable-pip-version-check --no-index --no-deps \
    --no-build-isolation --check-build-dependencies --wheel-dir /opt/wheel /source \
    && /opt/community-metrics/bin/pip install --no-cache-dir --disable-pip-version-check \
    --no-index --no-deps /opt/wheel/*.whl

FROM ${BASE}
COPY --from=build /opt/community-metrics /opt/community-metrics
COPY container/every /usr/local/bin/every
# a number, which Kubernetes can see is not root; the volume gets the owner of the folder
RUN install --directory --owner 10001 --group 10001 /data
USER 10001:10001
WORKDIR /data
VOLUME /data
ENV PATH=/opt/community-metrics/bin:$PATH \
    CM_DB_PATH=/data/community_metrics.lancedb \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    MALLOC_ARENA_MAX=2
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/api/v1/health', timeout=4)"]
CMD ["community-metrics", "serve", "--host", "0.0.0.0", "--port", "8000"]
