# syntax=docker/dockerfile:1
FROM python:3.13-slim AS build
WORKDIR /src
COPY requirements.lock pyproject.toml README.md LICENSE ./
COPY bot bot
COPY adapters adapters
COPY manifest manifest
RUN python -m venv /opt/loupe \
    && /opt/loupe/bin/pip install --no-cache-dir --constraint requirements.lock .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home --home-dir /data loupe \
    && install -d -o loupe -g loupe -m 0700 /data
COPY --from=build /opt/loupe /opt/loupe
ENV PATH=/opt/loupe/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    LOUPE_DATA=/data \
    LOUPE_HOST=0.0.0.0 \
    PORT=3978
USER loupe
WORKDIR /data
VOLUME /data
EXPOSE 3978
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/healthz', timeout=4)"]
STOPSIGNAL SIGTERM
CMD ["loupe", "serve"]
