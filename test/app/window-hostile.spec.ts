// What a hostile host calls its VMs and itself is shown as text: nothing runs, nothing is fetched, nothing is turned round.
import { expect, test } from './made-up-window.ts';

const names = [
  '<img src=x onerror="window.hacked=1"><script>window.hacked=2</script>',
  '{@html "<b>x</b>"}${window.hacked=3}',
  '"><svg onload=window.hacked=4><iframe src="http://198.51.100.1/"></iframe>',
  'javascript:window.hacked=5',
  '\u202egpj.exe\u202c \u2066web01\u2069',
  '\u0000\u0007\u001b]0;owned\u0007\u001b[2J',
  'a'.repeat(2000),
];

test('names with markup, control and bidirectional characters', async ({ open }) => {
  const page = await open({ hosts: 3, each: names.length });
  const requests: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  const title = await page.title();
  const own = new URL(page.url()).origin;
  await page.evaluate((given) => {
    const { main } = window;
    const [host] = main.snapshot.hosts;
    if (!host) throw new Error('no hosts');
    const mine = main.snapshot.domains.filter(({ hostId }) => hostId === host.id);
    for (const [at, name] of given.entries()) {
      const domain = mine[at];
      if (domain) main.push({ event: 'domain', data: { ...domain, name, reason: name } });
    }
    const [bad = '', , image = ''] = given;
    main.push({
      event: 'host',
      data: { ...host, label: bad, state: 'unreachable', error: { code: 'unreachable', message: image } },
    });
    main.push({
      event: 'question',
      data: {
        id: 'q',
        hostId: host.id,
        kind: 'keyboard-interactive',
        title: bad,
        instruction: image,
        prompts: [{ text: bad, echo: true }],
        again: false,
      },
    });
    main.push({ event: 'notice', data: { level: 'error', message: bad, at: new Date().toISOString() } });
  }, names);
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('<img src=x');
  await expect(dialog.locator('img, script, iframe, b')).toHaveCount(0);
  await page.keyboard.press('Escape');
  await expect(page.getByText('<img src=x', { exact: false }).first()).toBeVisible();
  expect(await page.locator('img[src="x"], iframe, script:not([src])').count()).toBe(0);
  expect(await page.evaluate(() => (window as { hacked?: unknown }).hacked)).toBeUndefined();
  expect(await page.title()).toBe(title);
  // A long name widens nothing: the page itself does not scroll sideways.
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
  expect(requests.filter((url) => !url.startsWith(own) && !url.startsWith('data:'))).toEqual([]);
});
