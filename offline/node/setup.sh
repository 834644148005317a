#!/bin/bash
# Turns a Debian root with kind's base files, Kubernetes' binaries and our own files into a node; runs in a chroot there.
# What kind's images/base/Dockerfile does after installing packages, and then `kind build node-image`'s loading of images.
set -o errexit -o nounset -o pipefail
readonly VERSION=$1 IMAGES=$2

chmod 755 /kind/bin /kind/bin/* /usr/local/bin/*
mknod -m 666 /dev/null c 1 3

# Services that have no place in a container.
rm -f /lib/systemd/system/sysinit.target.wants/systemd-tmpfiles-setup.service \
  /lib/systemd/system/multi-user.target.wants/* /etc/systemd/system/*.wants/* \
  /lib/systemd/system/local-fs.target.wants/* /lib/systemd/system/basic.target.wants/* \
  /lib/systemd/system/sockets.target.wants/*udev* /lib/systemd/system/sockets.target.wants/*initctl*
echo "ReadKMsg=no" >> /etc/systemd/journald.conf

# Debian's paths, where kind's files expect them.
ln -sf /usr/bin/{containerd,ctr,containerd-shim-runc-v2} /usr/local/bin/
mkdir -p /opt/cni /etc/kubernetes/manifests /var/lib/hostpath_pv
ln -sfn /usr/lib/cni /opt/cni/bin

# What no node of kind uses.
find /usr/lib/cni -type f ! -name host-local ! -name loopback ! -name ptp ! -name portmap -delete
rm /usr/bin/containerd-shim /usr/bin/containerd-shim-runc-v1

# A host may lack CAP_SYS_RESOURCE, and nothing in the node may then lower an OOM score. (grep: fail if kind changes.)
grep -q '^OOMScoreAdjust=-999$' /etc/systemd/system/containerd.service
sed -i '/^OOMScoreAdjust=-999$/d' /etc/systemd/system/containerd.service
grep -q 'restrict_oom_score_adj = false' /etc/containerd/config.toml
sed -i 's/restrict_oom_score_adj = false/restrict_oom_score_adj = true/' /etc/containerd/config.toml

ctr oci spec | jq 'del(.process.rlimits)
  | .hooks.createContainer = [{path: "/kind/bin/mount-product-files.sh"}]
  | .hooks.createRuntime = [{path: "/kind/bin/open-volumes.sh"}]' > /etc/containerd/cri-base.json

systemctl enable kubelet.service containerd.service undo-mount-hacks.service tmp-hostpath_pv.mount
systemctl mask systemd-binfmt.service
echo "v${VERSION}" > /kind/version

# The images go into containerd's content store; each is unpacked when its first container starts.
containerd --log-level warn &
engine=$!
until ctr version > /dev/null 2>&1; do
  kill -0 "${engine}"
  sleep 0.1
done
ctr --namespace k8s.io images import --all-platforms --no-unpack "${IMAGES}"
kill "${engine}"
wait "${engine}"
rm -rf "${IMAGES}" /run/containerd
