#!/bin/bash
# Becomes process 1 of a lab host: its own name, /run, homes and libvirt folders over the machine's, which stay as they
# are; the rest of the file system it shares. Then it only reaps. Called in fresh namespaces:
#   host-init.sh NAME OWN SHARED: OWN is the host's tree, SHARED the folder that all hosts see as /srv/shared.
set -euo pipefail
name=$1 own=$2 shared=$3

mount --make-rprivate /
init=$(awk '/^PPid:/ { print $2 }' /proc/self/status) # this process as the machine counts: /proc is still the machine's
mount -t proc proc /proc
hostname "$name"
for folder in /run /root /home /tmp /srv; do mount -t tmpfs -o mode=755 tmpfs "$folder"; done
chmod 1777 /tmp
mkdir -p /run/sshd /run/lock /srv/shared
for path in /etc/libvirt /var/lib/libvirt /var/cache/libvirt /var/log/libvirt /etc/ssh \
  /etc/passwd /etc/group /etc/shadow /etc/hosts /etc/nsswitch.conf; do
  mount --bind "$own$path" "$path"
done
if [ -e "$own/etc/pam.d/sshd" ]; then mount --bind "$own/etc/pam.d/sshd" /etc/pam.d/sshd; fi
if [ -d /etc/sudoers.d ]; then mount --bind "$own/etc/sudoers.d" /etc/sudoers.d; fi
if [ -d "$own/home" ]; then cp -a "$own/home/." /home/; fi

# libvirt takes a folder for shared between hosts by the type of its file system; this one says that it is GlusterFS.
# Ownership goes through, extended attributes do not, as on NFS.
if [ -c /dev/fuse ] && command -v bindfs > /dev/null; then
  bindfs -o subtype=glusterfs --xattr-none "$shared" /srv/shared
else
  mount --bind "$shared" /srv/shared
fi

echo "ready $init"
exec < /dev/null > /dev/null 2>&1
while :; do
  sleep 86400 &
  wait $! || true # bash reaps every orphan meanwhile
done
