// What a VM is made of, as its details show it.
import { expect, test, tile } from './made-up-window.ts';

const xml = `<domain type='kvm'>
  <name>web01</name>
  <os firmware='efi'><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>
  <cpu mode='host-model'/>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2' cache='writeback'/>
      <source file='/srv/shared/web01.qcow2'/><target dev='vda' bus='virtio'/><shareable/>
    </disk>
    <disk type='file' device='cdrom'><target dev='sda' bus='sata'/><readonly/></disk>
    <interface type='bridge'>
      <mac address='52:54:00:12:34:56'/><source bridge='br-prod'/><model type='virtio'/>
      <target dev='vnet3'/><link state='down'/>
    </interface>
    <hostdev mode='subsystem' type='pci'/>
    <controller type='usb'/>
  </devices>
</domain>`;

test('disks, network cards and other devices stand below the VM, with what a migration asks for', async ({ open }) => {
  const page = await open({ hosts: 4, each: 6 });
  await page.evaluate((definition) => {
    const { main } = window;
    for (const { uuid, name } of main.snapshot.domains) if (name === 'web01') main.definitions.set(uuid, definition);
  }, xml);
  await tile(page, 'web01').click();
  await page.getByRole('tab', { name: 'Hardware' }).click();
  const details = page.getByRole('complementary', { name: 'Details' });
  await expect(details.getByText('UEFI')).toBeVisible();
  const disks = details.getByRole('region', { name: 'Disks' });
  await expect(disks).toContainText('/srv/shared/web01.qcow2');
  await expect(disks).toContainText('writeback');
  await expect(disks).toContainText('shareable');
  await expect(disks).toContainText('empty');
  const cards = details.getByRole('region', { name: 'Network cards' });
  await expect(cards).toContainText('bridge br-prod');
  await expect(cards).toContainText('cable pulled');
  await expect(cards).toContainText('vnet3');
  const others = details.getByRole('region', { name: 'Other devices' });
  await expect(others.getByRole('listitem')).toHaveText([/Device of the host\s+pci/]);
});
