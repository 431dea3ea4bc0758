// What an admin reads who has no host yet.

export const firstScreen = {
  title: 'No hosts yet',
  about:
    'Drover shows every virtual machine on your libvirt hosts, live, and moves them from host to host while they run. Nothing is installed on the hosts: SSH and libvirt are enough.',
  discover: {
    title: 'Find hosts',
    text: 'Scan a subnet for machines that run SSH and libvirt, and add those that are yours.',
  },
  addHost: {
    title: 'Add a host',
    text: 'Name one, or give its libvirt URI, as in qemu+ssh://root@kvm1/system.',
  },
  noneAtHand: 'No hosts at hand?',
  demo: 'Try it with a demo fleet',
  next: [
    'Compare the host’s key fingerprint once, and trust it',
    'Its VMs appear, with their state and load',
    'Drag a VM onto another host: it moves without stopping',
  ],
};
