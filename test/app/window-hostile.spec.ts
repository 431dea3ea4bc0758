// What a hostile host calls its VMs and itself is shown as text: nothing runs, nothing is fetched, nothing is turned round.
import { expect, said, test, tile } from './made-up-window.ts';

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

test('a console that would set the title, write the clipboard, or have a link opened', async ({ open, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const page = await open({ hosts: 4, each: 6 });
  const pages: string[] = [];
  context.on('page', (other) => pages.push(other.url()));
  const requests: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  const title = await page.title();
  const own = new URL(page.url()).origin;
  await tile(page, 'web01').dblclick();
  const screen = page.locator('.xterm-rows');
  await expect(screen).toContainText('tick');
  await page.evaluate(() => navigator.clipboard.writeText('mine'));
  const before = (await said(page, 'consoles.write')).length;
  await page.evaluate(() => {
    const domain = window.main.snapshot.domains.find(({ name }) => name === 'web01');
    const say = (text: string) => window.main.print(domain?.uuid ?? '', text);
    say('\u001b]0;owned\u0007\u001b]2;owned\u001b\\\u001b]1;owned\u0007'); // titles
    say('\u001b]52;c;b3duZWQ=\u0007\u001b]52;c;?\u0007'); // the clipboard: written, and asked for
    say('\u001b[21t\u001b[20t\u001b[8;1;1t\u001b[2t'); // the title asked for, the window made small
    say('\u001b]8;;http://198.51.100.1/x\u0007press-here\u001b]8;;\u0007 https://198.51.100.1/y\r\n');
    say('\u001bP$q"p\u001b\\\u001b]4;1;?\u0007\u001b]10;?\u0007');
    say('\u001b[?1049h\u001b[2J\u001b[?1049l<img src=x onerror=window.hacked=1>end-of-it\r\n');
  });
  await expect(screen).toContainText('end-of-it');
  const link = await screen.getByText('press-here').first().boundingBox();
  if (!link) throw new Error('the link is not on the screen');
  await page.mouse.click(link.x + 10, link.y + link.height / 2);
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('mine');
  expect(await page.title()).toBe(title);
  expect(await page.evaluate(() => (window as { hacked?: unknown }).hacked)).toBeUndefined();
  expect(pages).toEqual([]);
  expect(requests.filter((url) => !url.startsWith(own) && !url.startsWith('data:'))).toEqual([]);
  // What it asked for is not typed into the guest: neither title nor clipboard.
  const typed = (await said(page, 'consoles.write')).slice(before) as { bytes: Record<string, number> }[];
  const text = typed.map(({ bytes }) => String.fromCharCode(...Object.values(bytes))).join('');
  expect(text).not.toMatch(/owned|mine/);
});
