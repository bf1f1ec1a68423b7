# Any image with Python 3.11 or later will do; what is added needs no shell and writes nothing.
ARG BASE_IMAGE=python:3.13-slim

FROM ${BASE_IMAGE} AS dependencies
WORKDIR /src
COPY requirements.lock requirements-build.lock ./
RUN python3 -m venv /opt/build && python3 -m venv --without-pip /opt/sidecar-injector
RUN /opt/build/bin/python -m pip install --no-cache-dir --require-hashes -r requirements-build.lock
RUN /opt/build/bin/python -m pip --python /opt/sidecar-injector/bin/python install --no-cache-dir --no-compile --require-hashes -r requirements.lock
# Python would otherwise compile its standard library at every start: base images come without bytecode, and nothing can
# be written at run time. It is not checked against the sources, whose times a build may change. Of the client's
# generated classes next to none is ever imported.
RUN PYTHONPYCACHEPREFIX=/opt/sidecar-injector/bytecode \
    /opt/build/bin/python -m compileall -q --invalidation-mode unchecked-hash \
    -x '/(tests?|idlelib|lib2to3|pydoc_data|tkinter|ensurepip|pip|setuptools)/|/kubernetes/(aio/)?client/(api|models)/[a-z]' \
    "$(/opt/build/bin/python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" /opt/sidecar-injector/lib

FROM dependencies AS build
COPY pyproject.toml README.md LICENSE ./
COPY operator ./operator
RUN /opt/build/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir /dist .
# Under /added, to become the only layers that differ from version to version: a few megabytes.
RUN /opt/build/bin/python -m pip --python /opt/sidecar-injector/bin/python install --no-cache-dir --no-compile \
    --no-deps --no-index --no-warn-script-location --root /added /dist/*.whl
RUN PYTHONPYCACHEPREFIX=/bytecode \
    /opt/build/bin/python -m compileall -q --invalidation-mode unchecked-hash -s /added -p / /added

FROM ${BASE_IMAGE}
COPY --from=dependencies /opt/sidecar-injector /opt/sidecar-injector
COPY --from=build /added /
COPY --from=build /bytecode/added /opt/sidecar-injector/bytecode
# The user 65532 has no name and no home; Kopf asks for the one, the Kubernetes client for the other.
ENV PATH=/opt/sidecar-injector/bin:$PATH \
    USER=sidecar-injector \
    HOME=/ \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPYCACHEPREFIX=/opt/sidecar-injector/bytecode
# Version, revision and base image are known to whoever builds: see `make image`.
LABEL org.opencontainers.image.title="sidecar-injector" \
    org.opencontainers.image.description="A Kubernetes operator that injects sidecars from templates that render data, not text" \
    org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /
USER 65532:65532
EXPOSE 9443 8080
ENTRYPOINT ["sidecar-injector"]
CMD ["run"]
