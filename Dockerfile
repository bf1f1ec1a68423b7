# Any image with Python 3.11 or later will do; what is added needs no shell and writes nothing.
ARG BASE_IMAGE=python:3.13-slim

FROM ${BASE_IMAGE} AS build
WORKDIR /src
COPY requirements.lock requirements-build.lock ./
RUN python3 -m venv /opt/build && python3 -m venv --without-pip /opt/sidecar-injector
RUN /opt/build/bin/python -m pip install --no-cache-dir --require-hashes -r requirements-build.lock
RUN /opt/build/bin/python -m pip --python /opt/sidecar-injector/bin/python install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY operator ./operator
RUN /opt/build/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir /dist .
RUN /opt/build/bin/python -m pip --python /opt/sidecar-injector/bin/python install --no-cache-dir --no-deps --no-index /dist/*.whl

FROM ${BASE_IMAGE}
COPY --from=build /opt/sidecar-injector /opt/sidecar-injector
# The user 65532 has no name and no home; Kopf asks for the one, the Kubernetes client for the other.
ENV PATH=/opt/sidecar-injector/bin:$PATH \
    USER=sidecar-injector \
    HOME=/ \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
WORKDIR /
USER 65532:65532
EXPOSE 9443 8080
ENTRYPOINT ["sidecar-injector"]
CMD ["run"]
