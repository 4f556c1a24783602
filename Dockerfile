# The server in an image of its own: docs/production.md. Docker or Podman: docker build --tag ringcast .

# What building and testing need, also the dev container's.
FROM swift:6.3-bookworm AS toolchain
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        binutils ca-certificates gcc libc6-dev libhiredis-dev libnghttp2-dev liburing-dev libssl-dev \
        pkg-config python3 zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*

FROM toolchain AS build
WORKDIR /ringcast
# Dependencies first: they change less often than the sources.
COPY Package.swift ./
RUN swift package --scratch-path .build-static resolve
COPY . .
RUN Scripts/image-root /image

# The binary, the C libraries that it needs, authorities' certificates: no shell, no package manager.
FROM scratch
COPY --from=build /image /
USER 65532:65532
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s CMD ["/bin/ringcast", "health"]
ENTRYPOINT ["/bin/ringcast"]
CMD ["serve"]
