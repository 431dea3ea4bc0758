// What the system's ssh is answered from memory, and what is another host's question.
import { expect, it } from 'vitest';
import { KnownHosts, SecretCache } from '../../src-main/ssh/index.ts';
import { SystemAnswers } from '../../src-main/ssh/system-answers.ts';
import { person } from './peers.ts';

it.each([
  ['root@kvm1’s password, where nothing leads there', false, "root@kvm1's password: ", true],
  ['root@kvm1’s password, where a command leads there', true, "root@kvm1's password: ", true],
  ['that of a host on the way', true, "root@gate's password: ", false],
  ['a prompt of a host on the way', true, '(root@gate) Password: ', false],
  ['a prompt of its own', true, '(root@kvm1) Password: ', true],
  ['a prompt that does not say whose it is, where nothing leads there', false, 'Password: ', true],
  ['a prompt that does not say whose it is, where a command leads there', true, 'Password: ', false],
  [
    'root@kvm1’s password, which an older ssh does not tell from the host’s own words',
    false,
    "root@kvm1's password: ",
    false,
  ],
])('%s', async (name, byCommand, prompt, own) => {
  const marked = !name.includes('an older ssh');
  const target = { host: 'kvm1', port: null, user: 'root', label: 'one' };
  const knownHosts = new KnownHosts({ own: '/nowhere', user: [], system: [] });
  const secrets = new SecretCache();
  const login = 'root@kvm1:22';
  secrets.rememberPassword(login, 'remembered');
  const options = { target, knownHosts, secrets, prompts: person('typed') };
  const answers = new SystemAnswers({ options, login, user: 'root', byCommand, marked });
  expect(await answers.to({ hint: '', prompt })).toBe(own ? 'remembered' : 'typed');
  answers.succeeded();
  expect(secrets.password(login)).toBe('remembered');
});
