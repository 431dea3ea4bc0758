// What happened to a VM, as its details tell it.
import { expect, test, tile } from './made-up-window.ts';

test('the newest event stands first, with the host it was on; what nobody wished for stands out', async ({ open }) => {
  const page = await open({ hosts: 4, each: 6 });
  const happen = (event: string, detail: string, host: string) =>
    page.evaluate(
      ([event, detail, label]) => {
        const { main } = window;
        const hostId = main.snapshot.hosts.find((each) => each.label === label)?.id ?? '';
        main.events = [{ at: new Date().toISOString(), hostId, event, detail }, ...main.events];
      },
      [event, detail, host] as const,
    );
  await tile(page, 'web01').click();
  await page.getByRole('tab', { name: 'Events' }).click();
  const details = page.getByRole('complementary', { name: 'Details' });
  await expect(details).toContainText('Nothing happened to it since Drover was started.');
  await happen('started', 'booted', 'kvm2');
  await happen('crashed', 'panicked', 'kvm1');
  const list = details.getByRole('list', { name: 'What happened' });
  await expect(list.getByRole('listitem')).toHaveCount(2);
  await expect(list.getByRole('listitem').first()).toContainText('Crashed: the guest’s kernel panicked');
  await expect(list.getByRole('listitem').first()).toContainText('kvm1');
  await expect(list.getByRole('listitem').last()).toContainText('Started (booted)');
  await expect(list.getByRole('listitem').last()).toContainText('kvm2');
});
