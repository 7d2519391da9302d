# The one environment. Every stage starts from the same base; `rexen` builds the last one.
#
#   base        Debian trixie, as given by BASE
#   toolchain   compilers and headers for what is ours
#   packages    stock Debian packages, unpacked, never installed: kernels, Xen, UML
#   guest-root  the workloads and the root file system every guest runs on
#   hypervisor  ours, one ELF
#   runner      QEMU
#   overlays    first-level roots of the nested systems, out of runner and packages
#   bench       runner + all artefacts + their manifest: what a cell runs in
#
# Versions are those of the Debian release at build time. They are not pinned here, because a
# mirror keeps only the newest; the manifest names every one, and every cell's identity covers
# the digests of what it used.

ARG BASE=debian:trixie-slim
FROM ${BASE} AS base
ENV DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

FROM base AS toolchain
RUN apt-get -q update && apt-get -q install -y --no-install-recommends \
        binutils busybox-static cpio dash gcc libc6-dev libxen-dev make python3-minimal \
        xz-utils zstd \
    && rm -rf /var/lib/apt/lists/*

FROM toolchain AS packages
COPY baselines/image/fetch.sh /build/
RUN /build/fetch.sh /packages linux-image-cloud-amd64 linux-image-amd64 \
        xen-hypervisor-4.20-amd64 user-mode-linux
COPY baselines/image/unpack_kernel.py baselines/image/artefacts.sh /build/
RUN /build/artefacts.sh /packages /opt/rexen

FROM toolchain AS guest-root
COPY workloads /build/workloads
RUN make -C /build/workloads root OUT=/build/out

FROM toolchain AS hypervisor
COPY hypervisor /build/hypervisor
RUN make -C /build/hypervisor BUILD=/build/out

FROM base AS runner
RUN apt-get -q update && apt-get -q install -y --no-install-recommends \
        cpio qemu-system-x86 xz-utils \
    && rm -rf /var/lib/apt/lists/*

FROM runner AS overlays
COPY --from=packages /packages /packages
COPY --from=packages /opt/rexen /opt/rexen
COPY --from=guest-root /build/out/guest.cpio /opt/rexen/root/guest.cpio
COPY --from=hypervisor /build/out/rexen.elf /opt/rexen/rexen/rexen.elf
COPY baselines /build/baselines
RUN /build/baselines/image/overlays.sh /build/baselines /packages /opt/rexen

FROM runner AS bench
COPY --from=overlays /opt/rexen /opt/rexen
COPY --from=packages /packages/versions /opt/rexen/versions
COPY baselines/image/manifest.sh /build/
RUN /build/manifest.sh /opt/rexen

# checks: what the tests need beside what a cell needs; the checkout is mounted at /src.
FROM bench AS checks
RUN apt-get -q update && apt-get -q install -y --no-install-recommends \
        busybox-static cpio dash gcc libc6-dev libxen-dev make python3 python3-hypothesis \
        python3-pytest \
    && rm -rf /var/lib/apt/lists/*
# The checkout is mounted read-only.
ENV REXEN_TEST_BUILD=/tmp/hypervisor
