# syntax=docker/dockerfile:1
# Two stages: the first builds the virtual environment with the locked versions (torch for the CPU), the second only holds it.
ARG PYTHON=python:3.11.14-slim-bookworm

FROM ${PYTHON} AS build
WORKDIR /src
ENV PIP_NO_CACHE_DIR=1 \
    UV_NO_CACHE=1
RUN python -m venv /opt/tellwhy
COPY .ci/install .ci/install
COPY pyproject.toml constraints.txt README.md LICENSE CHANGELOG.md ./
COPY daemon daemon
COPY rules rules
COPY systemd systemd
RUN .ci/install /opt/tellwhy . \
    && /opt/tellwhy/bin/python -m pip uninstall --yes --quiet uv pip \
    && find /opt/tellwhy -name __pycache__ -prune -exec rm -r {} +

FROM ${PYTHON}
LABEL org.opencontainers.image.title="tellwhy" \
      org.opencontainers.image.description="Alerts that say why, from your own machine" \
      org.opencontainers.image.licenses="Apache-2.0"
# 10001 is nobody on the host; the group that may read the logs (adm, 4) is given by whoever runs the container.
RUN groupadd --gid 10001 tellwhy \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/tellwhy --shell /usr/sbin/nologin tellwhy \
    && install -d -o tellwhy -g tellwhy -m 0700 /var/lib/tellwhy
COPY --from=build /opt/tellwhy /opt/tellwhy
ENV PATH=/opt/tellwhy/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    STATE_DIRECTORY=/var/lib/tellwhy
USER 10001:10001
WORKDIR /var/lib/tellwhy
VOLUME ["/var/lib/tellwhy"]
EXPOSE 8787
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=3s --start-period=60s --retries=3 \
    CMD ["/opt/tellwhy/bin/python", "-c", "import urllib.request as r; r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:8787/healthz', timeout=2)"]
ENTRYPOINT ["/opt/tellwhy/bin/tellwhy"]
CMD ["run", "--config", "/etc/tellwhy/config.yaml"]
