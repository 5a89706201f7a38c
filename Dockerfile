# The server as an image: `docker build -t oneself .`
# tests/house/test_container_files.py reads this file and holds it true.

FROM python:3.13-slim-bookworm AS build
WORKDIR /build
RUN python -m venv /opt/oneself
# What the lock files pin, each file checked against its hash; a layer of its own, so that a change
# of the code does not fetch it again.
COPY requirements.lock requirements-build.lock ./
RUN /opt/oneself/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --only-binary :all: \
    -r requirements.lock -r requirements-build.lock
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN /opt/oneself/bin/pip install --no-cache-dir --disable-pip-version-check --no-index --no-deps --no-build-isolation . \
    && /opt/oneself/bin/pip uninstall --yes --quiet flit_core pip

FROM python:3.13-slim-bookworm
COPY --from=build /opt/oneself /opt/oneself
# An account that owns nothing but the folder of a SQLite database.
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /var/lib/oneself oneself \
    && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/oneself
ENV PATH=/opt/oneself/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ONESELF_HOST=0.0.0.0 \
    ONESELF_PORT=8000
USER 10001:10001
WORKDIR /var/lib/oneself
VOLUME /var/lib/oneself
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
ENTRYPOINT ["oneself"]
CMD ["serve"]
