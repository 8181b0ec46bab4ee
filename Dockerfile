# CBAM Lens with its weights inside: a server by itself, or a Ray cluster's head or worker (compose.yaml has all three).
#   docker build -t cbam-lens .                       CPU
#   docker build -t cbam-lens --build-arg DEVICE=cuda .   CUDA; run with --gpus all

# python:3.12.14-slim-trixie, for all platforms. `docker buildx imagetools inspect python:3.12-slim` prints the newest.
ARG PYTHON_IMAGE=python@sha256:f77ac9e44ae96ef2c90b8053ea08c31f8be030f824196b0ae4db6d462c84e51f

FROM $PYTHON_IMAGE AS build
ARG DEVICE=cpu
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 VIRTUAL_ENV=/opt/venv
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /build
COPY .ci/requirements/server.txt .ci/requirements/server-without-torch.txt pyproject.toml ./
# CUDA: exactly the tested files. CPU: the same files by their hashes, but PyTorch's own CPU builds of torch and torchvision,
# whose hashes differ.
RUN uv venv "$VIRTUAL_ENV" \
    && case "$DEVICE" in \
         cuda) uv pip sync --no-cache --require-hashes server.txt ;; \
         cpu) grep -oE '^torch(vision)?==[^ ]+' server.txt >torch.txt \
              && uv pip install --no-cache --torch-backend=cpu --no-deps -r torch.txt \
              && uv pip install --no-cache --no-deps --require-hashes -r server-without-torch.txt ;; \
         *) echo "DEVICE is $DEVICE; choose cpu or cuda" >&2; exit 2 ;; \
       esac
COPY README.md LICENSE cbam_lens.py ./
COPY .ci/build_wheel.py .ci/
COPY app app
COPY models models
COPY templates templates
COPY static static
RUN uv pip install --no-cache --no-deps .

FROM $PYTHON_IMAGE
RUN useradd --create-home --uid 10001 lens
COPY --from=build /opt/venv /opt/venv
# The root file system may be read-only, so matplotlib's cache goes to /tmp.
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 MPLCONFIGDIR=/tmp/matplotlib
# Published on this machine alone, so it answers to this machine's names alone: a page of another site cannot point its
# own name at it. Where others may reach the container, give its names instead: -e CBAM_LENS_TRUSTED_HOSTS=lens.example
ENV CBAM_LENS_TRUSTED_HOSTS="localhost;127.0.0.1;::1"
USER 10001
WORKDIR /home/lens
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
CMD ["cbam-lens", "serve", "--host", "0.0.0.0"]
