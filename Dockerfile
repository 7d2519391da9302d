# The one environment; `rexen` builds its stages `checks` and `bench`, from a context it packs.
#
#   pool        every Debian package that is used below, as inputs.lock has it
#   base        Debian as given by BASE, brought to the pool's versions
#   toolchain   compilers and headers for what is ours
#   packages    stock Debian packages, unpacked, never installed: kernels, Xen, UML
#   disk-image  the large root, read-only
#   guest-root  the workloads and the root file system every guest runs on, in parts
#   runner      QEMU
#   host-programs  programs of the first levels, in C
#   overlays    first-level roots of the nested systems, out of runner and packages
#   hypervisor  ours, one ELF
#   counting    the plugin that counts what a cell's machine executes
#   layout      what a cell needs, picked out of all that
#   bench       that alone: what a cell runs in
#   checks      what the tests need; the checkout is mounted at /src
#
# A stage is built again only if its own inputs changed, so the order within each matters. systems/ is
# no directory of the checkout: it is what the catalogue asks for, as the context has it
# (harness/measure/images/context.py).

ARG BASE=debian:trixie-slim
FROM ${BASE} AS pool
ARG ARCHIVE=
ENV DEBIAN_FRONTEND=noninteractive
COPY harness/measure/images/recipe/pool.sh harness/measure/images/recipe/packages.list /build/
COPY systems/packages.list /build/systems/
COPY workloads/root/debian.list /build/workloads/root/
COPY inputs.lock /build/
RUN /build/pool.sh /build/inputs.lock /pool "${ARCHIVE}" /build/packages.list \
        /build/systems/packages.list /build/workloads/root/debian.list

FROM ${BASE} AS base
ENV DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
COPY --from=pool /pool /pool
COPY harness/measure/images/recipe/install.sh harness/measure/images/recipe/packages.list /build/
RUN /build/install.sh base /build/packages.list

FROM base AS toolchain
RUN /build/install.sh toolchain /build/packages.list

FROM toolchain AS packages
COPY harness/measure/images/recipe/unpack.sh /build/
RUN /build/unpack.sh /pool /packages
COPY harness/measure/images/recipe/unpack_kernel.py harness/measure/images/recipe/artefacts.sh \
     harness/measure/images/recipe/modules.sh harness/measure/images/recipe/modules.list /build/
COPY systems/artefacts.list /build/systems/
RUN /build/artefacts.sh /build/systems/artefacts.list /packages /artefacts

FROM toolchain AS disk-image
RUN /build/install.sh image /build/packages.list
COPY harness/measure/images/recipe/linux.sh /build/
COPY workloads/root/linux.list workloads/root/linux.objects /build/root/
RUN /build/linux.sh /pool/linux-source-*.deb /build/root /mnt/data/linux
COPY harness/measure/images/recipe/disk.sh /build/
COPY harness/measure/images/recipe/cluster /build/cluster
COPY workloads/root/debian.list workloads/root/left-out.list /build/root/
COPY systems/root.mib /build/systems/
RUN /build/disk.sh /build/root "$(cat /build/systems/root.mib)" /mnt/data/linux \
        /build/out/disk/root.img

FROM toolchain AS guest-root
COPY harness/measure/images/recipe/unpack.sh /build/
RUN /build/unpack.sh /pool / /build/packages.list
COPY workloads /build/workloads
RUN make -C /build/workloads root OUT=/build/out

FROM toolchain AS host-programs
COPY harness/measure/images/recipe/host_programs.sh /build/recipe/
COPY baselines /build/baselines
RUN /build/recipe/host_programs.sh /build/baselines /build/out

FROM base AS runner
RUN /build/install.sh runner /build/packages.list

FROM runner AS overlays
COPY systems/packages.list /build/systems/
RUN /build/install.sh overlay /build/systems/packages.list
COPY --from=packages /artefacts /artefacts
COPY --from=guest-root /build/out/root/base.cpio /build/out/root/prepare.cpio /artefacts/root/
COPY --from=host-programs /build/out /artefacts/host
COPY harness/measure/images/recipe/overlays.sh /build/recipe/
COPY baselines /build/baselines
RUN /build/recipe/overlays.sh /build/baselines /artefacts

FROM toolchain AS hypervisor
COPY hypervisor /build/hypervisor
RUN make -C /build/hypervisor BUILD=/build/out

FROM toolchain AS counting
COPY harness/measure/counting/plugin /build/plugin
RUN make -C /build/plugin OUT=/build/out

FROM runner AS layout
COPY --from=overlays /artefacts /artefacts
COPY --from=guest-root /build/out/root /artefacts/root
COPY --from=disk-image /build/out/disk/root.img.sha256 /artefacts/disk/
COPY --from=hypervisor /build/out/rexen.elf /artefacts/rexen/rexen.elf
COPY --from=counting /build/out/count.so /artefacts/count/count.so
COPY harness/measure/images/recipe/bench.sh harness/measure/images/recipe/boot /build/recipe/
COPY baselines/nested /build/baselines/nested
COPY systems/booted.list /build/systems/
RUN /build/recipe/bench.sh /bench /artefacts /build/systems/booted.list /pool

# The large root goes from where it is made to where it is used: each step between is a copy.
FROM scratch AS bench
ENV LC_ALL=C.UTF-8 PATH=/usr/bin:/bin
COPY --from=disk-image /build/out/disk/root.img /opt/rexen/disk/root.img
COPY --from=layout /bench /

FROM runner AS checks
RUN /build/install.sh toolchain /build/packages.list && \
    /build/install.sh checks /build/packages.list
COPY harness/measure/images/recipe/unpack.sh /build/
RUN /build/unpack.sh /pool / /build/packages.list
COPY --from=disk-image /build/out/disk /opt/rexen/disk
COPY --from=packages /artefacts /opt/rexen
COPY --from=guest-root /build/out/guest.cpio /build/out/root /opt/rexen/root/
# The checkout is mounted read-only.
ENV REXEN_TEST_BUILD=/tmp/hypervisor
