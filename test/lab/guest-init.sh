#!/bin/busybox sh
# The first and only program of a guest: ticks on its serial console, and a shell there that answers.
# From the kernel's command line: guest=NAME, pace=SECONDS between ticks, dirty=MiB of memory written over and over.
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/shm && mount -t tmpfs -o size=90% tmpfs /dev/shm
exec < /dev/ttyS0 > /dev/ttyS0 2>&1

guest=guest pace=1 dirty=0
for word in $(cat /proc/cmdline); do
  case $word in guest=* | pace=* | dirty=*) eval "$word" ;; esac
done
hostname "$guest"
for module in $(cat /modules/order); do insmod "/modules/$module"; done
ip link set lo up
[ -e /sys/class/net/eth0 ] && ip link set eth0 up
acpid -d > /dev/null 2>&1 & # the power button, which is how libvirt asks for a shutdown

(
  export PS1="$guest# "
  cd /
  while :; do setsid sh -c 'exec sh -i < /dev/ttyS0 > /dev/ttyS0 2>&1'; done
) &

if [ "$dirty" -gt 0 ]; then
  # Random, since pages of zeros would cost a migration nothing.
  dd if=/dev/urandom of=/dev/shm/from bs=1M count=8 2> /dev/null
  (while :; do
    at=0
    while [ $at -lt "$dirty" ]; do
      dd if=/dev/shm/from of=/dev/shm/to bs=1M seek=$at conv=notrunc 2> /dev/null
      at=$((at + 8))
    done
  done) &
fi

n=0
while :; do
  n=$((n + 1))
  echo "tick $n"
  # A guest with a disk writes it down there too, every few ticks.
  if [ -b /dev/vda ] && [ $((n % 5)) = 0 ]; then
    echo "tick $n" | dd of=/dev/vda bs=512 conv=notrunc,sync,fsync 2> /dev/null
  fi
  sleep "$pace"
done
