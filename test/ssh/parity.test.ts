// Where ssh gets in with some odd but valid files, Drover does, and where ssh refuses, so does it: both on a real sshd.
import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { connectSsh, KnownHosts, Routes, SshConfig, SshError } from '../../src-main/ssh/index.ts';
import { unlocked } from '../../src-main/ssh/identities.ts';
import { person } from './peers.ts';
import { keygen, sshdIsHere, startSshd, type Sshd } from './sshd.ts';

const folder = mkdtempSync(join(tmpdir(), 'drover-parity-'));
const at = (name: string) => join(folder, name);
const servers = new Map<string, Sshd>();
let agent: ChildProcess;

/** Each with keys of its own. */
const serverLines: Record<string, string[]> = {
  plain: [],
  gate: [],
  few: ['MaxAuthTries 3'],
  chacha: ['Ciphers chacha20-poly1305@openssh.com'],
  gcm: ['Ciphers aes256-gcm@openssh.com'],
  'curve25519 and an etm MAC': [
    'KexAlgorithms curve25519-sha256',
    'Ciphers aes256-ctr',
    'MACs hmac-sha2-512-etm@openssh.com',
  ],
  sntrup: ['KexAlgorithms sntrup761x25519-sha512@openssh.com'],
  umac: ['Ciphers aes128-ctr', 'MACs umac-128-etm@openssh.com'],
  'rsa-sha2-512 both ways': ['HostKeyAlgorithms rsa-sha2-512', 'PubkeyAcceptedAlgorithms rsa-sha2-512'],
  'a banner': [`Banner ${at('banner')}`],
  'a long banner': [`Banner ${at('long-banner')}`],
  'little between keys': ['RekeyLimit 1M'],
  'two keys wanted': ['AuthenticationMethods publickey,publickey'],
  'one try': ['MaxAuthTries 1'],
  'one address only': ['AllowUsers root@127.0.0.9'],
};

beforeAll(async () => {
  if (!sshdIsHere) return;
  writeFileSync(at('banner'), 'Authorized use only.\r\n\u001b[31mred\n'.repeat(40));
  writeFileSync(at('long-banner'), `${'Authorized use only. '.repeat(50)}\n`.repeat(60));
  keygen(at('good'), 'ed25519');
  keygen(at('other-rsa'), 'rsa', { bits: 2048 });
  keygen(at('second'), 'rsa', { bits: 2048 });
  for (let n = 0; n < 8; n += 1) keygen(at(`other${n}`), 'ed25519');
  keygen(at('file with blanks'), 'ed25519');
  for (const name of Object.keys(serverLines)) {
    const authorized = ['good', 'second', 'file with blanks'].map((key) => `${at(key)}.pub`);
    servers.set(name, await startSshd({ authorized, lines: serverLines[name] ?? [] }));
  }
  agent = spawn('ssh-agent', ['-D', '-a', at('agent.sock')], { stdio: 'ignore' });
  await vi.waitFor(() => expect(existsSync(at('agent.sock'))).toBe(true));
  const add = (name: string) =>
    execFileSync('ssh-add', ['-q', at(name)], { env: { ...process.env, SSH_AUTH_SOCK: at('agent.sock') } });
  for (let n = 0; n < 8; n += 1) add(`other${n}`);
  add('good');
}, 120_000);
afterAll(async () => {
  agent?.kill();
  for (const server of servers.values()) await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const server = (name: string) => servers.get(name)!;
const port = (name: string) => server(name).port;
/** A line of known_hosts for the server's key of that type. */
const line = (names: string, name: string, type = 'ssh-ed25519') =>
  `${names} ${server(name).hostKeys.find((key) => key.startsWith(type))}\n`;
const bracketed = (name: string) => `[127.0.0.1]:${port(name)}`;
const hashed = (name: string) => {
  const salt = Buffer.alloc(20, 7);
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
};

interface Set {
  config: string;
  known: string;
  host?: string;
}

let count = 0;

/** What ssh, Drover with ssh's help, and Drover without come to. */
async function outcomes({ config, known, host = 'target' }: Set) {
  count += 1;
  const files = { config: at(`config${count}`), known: at(`known${count}`) };
  writeFileSync(files.known, known);
  const rest = `\nHost *\n UserKnownHostsFile "${files.known}"\n GlobalKnownHostsFile none\n IdentityAgent none\n StrictHostKeyChecking yes\n User root\n`;
  writeFileSync(files.config, config + rest);
  const theirs = await new Promise<{ in: boolean; said: string }>((resolve) => {
    const argv = ['-F', files.config, '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=5', '--', host, 'true'];
    execFile('ssh', argv, { timeout: 20_000 }, (error, _out, said) => resolve({ in: !error, said }));
  });
  const ours = async (program: string | null) => {
    const routes = new Routes(new SshConfig({ user: files.config, system: at('none'), home: folder, program }));
    const knownHosts = new KnownHosts({ own: at(`own${count}`), user: [], system: [] });
    const target = { host, port: null, user: null, label: 'kvm1' };
    try {
      const ssh = await connectSsh({ target, knownHosts, routes, prompts: null, home: folder });
      const { stdout } = await ssh.run('echo $((6 * 7))');
      ssh.close();
      return stdout === '42\n' ? 'in' : stdout;
    } catch (error) {
      if (!(error instanceof SshError)) throw error;
      return error.message;
    }
  };
  return { theirs, withSsh: await ours('ssh'), alone: await ours(null) };
}

const target = (name: string, more = '') =>
  `Host target\n HostName 127.0.0.1\n Port ${port(name)}\n IdentityFile "${at('good')}"\n${more}`;

type Case = [string, () => Set];

const allowed: Case[] = [
  ...['chacha', 'gcm', 'curve25519 and an etm MAC', 'a banner', 'little between keys'].map((name): Case => [
    name,
    () => ({ config: target(name), known: line(bracketed(name), name) }),
  ]),
  ...['rsa-sha2-512 both ways'].map((name): Case => [
    name,
    () => ({
      config: `Host target\n HostName 127.0.0.1\n Port ${port(name)}\n IdentityFile ${at('second')}\n`,
      known: line(bracketed(name), name, 'ssh-rsa'),
    }),
  ]),
  [
    'two keys wanted',
    () => ({
      config: target('two keys wanted', ` IdentityFile ${at('second')}\n`),
      known: line(bracketed('two keys wanted'), 'two keys wanted'),
    }),
  ],
  [
    'a name of known_hosts that is hashed with its port',
    () => ({ config: target('plain'), known: line(hashed(bracketed('plain')), 'plain') }),
  ],
  [
    'known_hosts with wildcards',
    () => ({ config: target('plain'), known: line(`[127.0.*]:${port('plain')}`, 'plain') }),
  ],
  ['known_hosts without the port', () => ({ config: target('plain'), known: line('127.0.0.1', 'plain') })],
  [
    'known_hosts with carriage returns',
    () => ({ config: target('plain'), known: line(bracketed('plain'), 'plain').replace('\n', '\r\n') }),
  ],
  [
    'known_hosts with tabs, comments and names in upper case',
    () => ({
      config: target('plain', ' HostKeyAlias Alias\n'),
      known: `# none\n\n${line('ALIAS,other', 'plain').replaceAll(' ', '\t')}`,
    }),
  ],
  [
    'a known key of another type than ssh would like best',
    () => ({ config: target('plain'), known: line(bracketed('plain'), 'plain', 'ecdsa-sha2-nistp256') }),
  ],
  [
    'the second of two known_hosts',
    () => ({
      config: target('plain', ` UserKnownHostsFile ${at('none')} "${at('known hosts')}"\n`),
      known: (writeFileSync(at('known hosts'), line(bracketed('plain'), 'plain')), ''),
    }),
  ],
  [
    'HostKeyAlias in upper case',
    () => ({ config: target('plain', ' HostKeyAlias FooBar\n'), known: line('foobar', 'plain') }),
  ],
  [
    'a file of configuration with carriage returns',
    () => ({ config: target('plain').replaceAll('\n', '\r\n'), known: line(bracketed('plain'), 'plain') }),
  ],
  [
    'equals signs, quotes, capitals and tabs',
    () => ({
      config: `HOST="target"\n\thostname\t=\t"127.0.0.1"\n\tPORT=${port('plain')}\n identityfile="${at('good')}"\n`,
      known: line(bracketed('plain'), 'plain'),
    }),
  ],
  [
    'single quotes',
    () => ({
      config: `Host 'target'\n HostName '127.0.0.1'\n Port ${port('plain')}\n IdentityFile '${at('file with blanks')}'\n`,
      known: line(bracketed('plain'), 'plain'),
    }),
  ],
  [
    'a comment behind a value',
    () => ({
      config: `Host target # mine\n HostName 127.0.0.1 # here\n Port ${port('plain')} #x\n IdentityFile ${at('good')}\n`,
      known: line(bracketed('plain'), 'plain'),
    }),
  ],
  [
    'an Include within a Host',
    () => ({
      config: `Host target\n Include ${at('part*.conf')}\n`,
      known:
        (writeFileSync(at('part1.conf'), target('plain').replace('Host target\n', '')),
        line(bracketed('plain'), 'plain')),
    }),
  ],
  [
    'Match final',
    () => ({
      config: `Host target\n HostName 127.0.0.1\nMatch final host 127.0.0.1\n Port ${port('plain')}\n IdentityFile ${at('good')}\n`,
      known: line(bracketed('plain'), 'plain'),
    }),
  ],
  [
    'Match of a host and not another user',
    () => ({
      config: `Match originalhost target !user nobody\n HostName 127.0.0.1\n Port ${port('plain')}\nMatch host 127.0.0.1\n IdentityFile ${at('good')}\n`,
      known: line(bracketed('plain'), 'plain'),
    }),
  ],
  [
    'tokens in IdentityFile',
    () => ({
      config: `Host target\n HostName 127.0.0.1\n User root\n Port ${port('plain')}\n IdentityFile ${folder}/%n-%r-%p-%k-%h\n HostKeyAlias Ali\n`,
      known: (keygenLink(`target-root-${port('plain')}-ali-127.0.0.1`), line('ali', 'plain')),
    }),
  ],
  [
    'the one named key, of an agent with nine',
    () => ({
      config: target('few', ` IdentityAgent ${at('agent.sock')}\n IdentitiesOnly yes\n`),
      known: line(bracketed('few'), 'few'),
    }),
  ],
  [
    'a key named by its public half, in an agent with nine',
    () => ({
      config: `Host target\n HostName 127.0.0.1\n Port ${port('few')}\n IdentityFile ${at('good')}.pub\n IdentitiesOnly yes\n IdentityAgent "${at('agent.sock')}"\n`,
      known: line(bracketed('few'), 'few'),
    }),
  ],
  [
    'an agent alone, where IdentityFile is none',
    () => ({
      config: `Host target\n HostName 127.0.0.1\n Port ${port('plain')}\n IdentityFile none\n IdentityAgent ${at('agent-one.sock')}\n`,
      known: (agentOfOne(), line(bracketed('plain'), 'plain')),
    }),
  ],
  [
    'a jump with a user and a port',
    () => ({
      config: target(
        'plain',
        ` ProxyJump root@gate:${port('gate')}\nHost gate\n HostName 127.0.0.1\n IdentityFile ${at('good')}\n`,
      ),
      known: line(bracketed('plain'), 'plain') + line(bracketed('gate'), 'gate'),
    }),
  ],
  [
    'a jump by a URI, known under an alias',
    () => ({
      config: target(
        'plain',
        ` ProxyJump ssh://gate:${port('gate')}\n HostKeyAlias inner\nHost gate\n HostName 127.0.0.1\n IdentityFile ${at('good')}\n HostKeyAlias outer\n`,
      ),
      known: line('inner', 'plain') + line('outer', 'gate'),
    }),
  ],
  [
    'two jumps, the second as seen from the first',
    () => ({
      config: target(
        'plain',
        ` ProxyJump gate,few\nHost gate\n HostName 127.0.0.1\n Port ${port('gate')}\n IdentityFile ${at('good')}\nHost few\n HostName localhost\n Port ${port('few')}\n IdentityFile ${at('good')}\n`,
      ),
      known:
        line(bracketed('plain'), 'plain') + line(bracketed('gate'), 'gate') + line(`[localhost]:${port('few')}`, 'few'),
    }),
  ],
  [
    'ProxyJump none before one for all',
    () => ({
      config: target('plain', ' ProxyJump none\nHost *\n ProxyJump nowhere.invalid\n'),
      known: line(bracketed('plain'), 'plain'),
    }),
  ],
  [
    'ProxyJump none, and a ProxyCommand',
    () => ({
      config: target('plain', ' ProxyJump none\n ProxyCommand nc %h %p\n'),
      known: line(bracketed('plain'), 'plain'),
    }),
  ],
  [
    'ProxyCommand none before one for all',
    () => ({
      config: target('plain', ' ProxyCommand none\nHost *\n ProxyCommand false\n'),
      known: line(bracketed('plain'), 'plain'),
    }),
  ],
  [
    'a ProxyCommand that is ssh -W',
    () => ({
      config: target('plain', ` ProxyCommand ssh -F ${at('gate.conf')} -W %h:%p gate\n`),
      known:
        (writeFileSync(
          at('gate.conf'),
          `Host gate\n HostName 127.0.0.1\n Port ${port('gate')}\n User root\n IdentityFile ${at('good')}\n StrictHostKeyChecking no\n UserKnownHostsFile /dev/null\n LogLevel ERROR\n`,
        ),
        line(bracketed('plain'), 'plain')),
    }),
  ],
  [
    'algorithms that are added, taken away and put first',
    () => ({
      config: target(
        'plain',
        ' Ciphers ^aes256-ctr\n MACs -hmac-sha1*\n KexAlgorithms +diffie-hellman-group14-sha256\n HostKeyAlgorithms ^rsa-sha2-512\n',
      ),
      known: line(bracketed('plain'), 'plain', 'ssh-rsa'),
    }),
  ],
  [
    'an algorithm that is added, and a known key of another type than the best',
    () => ({
      config: target('plain', ' HostKeyAlgorithms +ssh-rsa\n'),
      known: line(bracketed('plain'), 'plain', 'ssh-rsa'),
    }),
  ],
  [
    'keys of kinds that are left out, by the option’s older name',
    () => ({
      config: `Host target\n HostName 127.0.0.1\n Port ${port('one try')}\n IdentityFile ${at('other-rsa')}\n IdentityFile ${at('good')}\n PubkeyAcceptedKeyTypes ssh-ed25519\n`,
      known: line(bracketed('one try'), 'one try'),
    }),
  ],
  [
    'BindAddress',
    () => ({
      config: target('one address only', ' BindAddress 127.0.0.9\n'),
      known: line(bracketed('one address only'), 'one address only'),
    }),
  ],
  [
    'NoHostAuthenticationForLocalhost, and a key of another server',
    () => ({
      config: target('plain', ' NoHostAuthenticationForLocalhost yes\n'),
      known: line(bracketed('plain'), 'gate'),
    }),
  ],
  [
    'ForkAfterAuthentication, which wants a command',
    () => ({
      config: target('plain', ' ForkAfterAuthentication yes\n StdinNull yes\n'),
      known: line(bracketed('plain'), 'plain'),
    }),
  ],
  [
    'Compression, and what Drover never does',
    () => ({
      config: target(
        'plain',
        ' Compression yes\n ForwardAgent yes\n ForwardX11 yes\n RequestTTY force\n PermitLocalCommand yes\n LocalCommand false\n',
      ),
      known: line(bracketed('plain'), 'plain'),
    }),
  ],
];

/** ssh2 cannot do these, and OpenSSH can: with it, Drover gets in by it. */
const noExchange = /no way to exchange keys/;
const bySystem: [...Case, RegExp][] = [
  ...['sntrup', 'umac'].map((name): [...Case, RegExp] => [
    name,
    () => ({ config: target(name), known: line(bracketed(name), name) }),
    noExchange,
  ]),
  [
    'a key exchange that is configured, and no other',
    () => ({
      config: target('plain', ' KexAlgorithms sntrup761x25519-sha512@openssh.com\n'),
      known: line(bracketed('plain'), 'plain'),
    }),
    noExchange,
  ],
  [
    'a long banner',
    () => ({ config: target('a long banner'), known: line(bracketed('a long banner'), 'a long banner') }),
    /Bad packet length/,
  ],
  [
    'KnownHostsCommand, with words in quotes and tokens',
    () => ({
      config: target('plain', ` KnownHostsCommand /bin/sh -c "cat '${at('known lines')}' # %H"\n`),
      known: (writeFileSync(at('known lines'), line(bracketed('plain'), 'plain')), ''),
    }),
    /is not known yet/,
  ],
  [
    'ProxyUseFdpass',
    () => ({
      config: target('plain', ' ProxyCommand nc -F %h %p\n ProxyUseFdpass yes\n'),
      known: line(bracketed('plain'), 'plain'),
    }),
    /without a word/,
  ],
  [
    'BindAddress by a name',
    () => ({
      config: target('one address only', ' BindAddress 127.9\n'),
      known: line(bracketed('one address only'), 'one address only'),
    }),
    /refused the login/,
  ],
];

const refused: Case[] = [
  [
    'PubkeyAuthentication no',
    () => ({ config: target('plain', ' PubkeyAuthentication no\n'), known: line(bracketed('plain'), 'plain') }),
  ],
  [
    'PreferredAuthentications without keys',
    () => ({
      config: target('plain', ' PreferredAuthentications password,hostbased\n'),
      known: line(bracketed('plain'), 'plain'),
    }),
  ],
  [
    'NoHostAuthenticationForLocalhost, but a name that keys are known by',
    () => ({
      config: target('plain', ' NoHostAuthenticationForLocalhost yes\n HostKeyAlias alias\n'),
      known: line('alias', 'gate'),
    }),
  ],
  [
    'a revoked key that is known, too',
    () => ({
      config: target('plain'),
      known: `@revoked * ${line('', 'plain').trim()}\n${line(bracketed('plain'), 'plain')}`,
    }),
  ],
  [
    'a name that is negated',
    () => ({ config: target('plain'), known: line(`*,!127.0.0.1,![127.0.0.1]:${port('plain')}`, 'plain') }),
  ],
  ['a key of another server', () => ({ config: target('plain'), known: line(bracketed('plain'), 'gate') })],
  [
    'a key known under the name, but not under the alias',
    () => ({ config: target('plain', ' HostKeyAlias elsewhere\n'), known: line(bracketed('plain'), 'plain') }),
  ],
  [
    'an agent with more keys than the server hears',
    () => ({
      config: `Host target\n HostName 127.0.0.1\n Port ${port('few')}\n IdentityFile none\n IdentityAgent ${at('agent.sock')}\n`,
      known: line(bracketed('few'), 'few'),
    }),
  ],
  [
    'an unknown key of a jump host',
    () => ({
      config: target(
        'plain',
        ` ProxyJump gate\nHost gate\n HostName 127.0.0.1\n Port ${port('gate')}\n IdentityFile ${at('good')}\n`,
      ),
      known: line(bracketed('plain'), 'plain'),
    }),
  ],
];

function keygenLink(name: string) {
  execFileSync('cp', ['-p', at('good'), at(name)]);
}

let ofOne: ChildProcess | null = null;
function agentOfOne() {
  if (ofOne) return;
  ofOne = spawn('ssh-agent', ['-D', '-a', at('agent-one.sock')], { stdio: 'ignore' });
  execFileSync('sh', ['-c', `until test -S ${at('agent-one.sock')}; do sleep 0.05; done; ssh-add -q ${at('good')}`], {
    env: { ...process.env, SSH_AUTH_SOCK: at('agent-one.sock') },
  });
}
afterAll(() => void ofOne?.kill());

describe.skipIf(!sshdIsHere)('ssh gets in, and so does Drover', () => {
  it.each(allowed)('%s', async (_name, set) => {
    const { theirs, withSsh, alone } = await outcomes(set());
    expect(theirs, theirs.said).toMatchObject({ in: true });
    expect({ withSsh, alone }).toEqual({ withSsh: 'in', alone: 'in' });
  });

  it.each(bySystem)('%s: by the system’s ssh, and without it the sentence says why not', async (_name, set, why) => {
    const { theirs, withSsh, alone } = await outcomes(set());
    expect(theirs, theirs.said).toMatchObject({ in: true });
    expect(withSsh).toBe('in');
    expect(alone).toMatch(why);
  });
});

describe.skipIf(!sshdIsHere)('of an agent with nine keys', () => {
  it('the one is offered whose public half is in the home folder, where no file is named', async () => {
    const home = at('home');
    mkdirSync(join(home, '.ssh'), { recursive: true });
    writeFileSync(join(home, '.ssh/id_ed25519.pub'), readFileSync(`${at('good')}.pub`));
    writeFileSync(at('only'), `IdentitiesOnly yes\nIdentityAgent ${at('agent.sock')}\n`);
    const ssh = await connectSsh({
      target: { ...server('few'), user: 'root', label: 'kvm1', noVerify: true },
      knownHosts: new KnownHosts({ own: at('none'), user: [], system: [] }),
      routes: new Routes(new SshConfig({ user: at('only'), system: at('none'), home })),
      prompts: null,
      home,
    });
    ssh.close();
  });
});

describe.skipIf(!sshdIsHere)('ssh refuses, and so does Drover', () => {
  it.each(refused)('%s', async (_name, set) => {
    const { theirs, withSsh, alone } = await outcomes(set());
    expect(theirs).toMatchObject({ in: false });
    expect(withSsh).not.toBe('in');
    expect(alone).not.toBe('in');
  });
});

describe.skipIf(!sshdIsHere)('a key file that ssh opens, Drover opens', () => {
  const keys: [string, string[]][] = [
    ['ecdsa in PEM', ['-t', 'ecdsa', '-m', 'PEM']],
    ['ecdsa-521 in PEM', ['-t', 'ecdsa', '-b', '521', '-m', 'PEM']],
    ['rsa in PKCS #8', ['-t', 'rsa', '-m', 'PKCS8']],
    ['ecdsa in PKCS #8', ['-t', 'ecdsa', '-m', 'PKCS8']],
    ['ecdsa-384 in PKCS #8', ['-t', 'ecdsa', '-b', '384', '-m', 'PKCS8']],
    ['ed25519 in what is asked for as PEM', ['-t', 'ed25519', '-m', 'PEM']],
    ['rsa in what is asked for as RFC 4716', ['-t', 'rsa', '-m', 'RFC4716']],
    ['ed25519 under aes256-gcm', ['-t', 'ed25519', '-Z', 'aes256-gcm@openssh.com']],
    ['ed25519 under aes128-cbc', ['-t', 'ed25519', '-Z', 'aes128-cbc']],
    ['ed25519 under chacha20-poly1305', ['-t', 'ed25519', '-Z', 'chacha20-poly1305@openssh.com']],
  ];
  for (const [name, argv] of keys) {
    it.each([
      ['', 'without a passphrase'],
      ['open sesame', 'behind one'],
    ])(`${name} (%j)`, async (passphrase) => {
      const path = at(`${name.replace(/\W/g, '-')}${passphrase ? '-locked' : ''}`);
      execFileSync('ssh-keygen', ['-q', ...argv, '-N', passphrase, '-C', '', '-f', path]);
      appendFileSync(join(server('plain').folder, 'authorized_keys'), execFileSync('cat', [`${path}.pub`]));
      const config = `Host target\n HostName 127.0.0.1\n Port ${port('plain')}\n User root\n IdentityFile ${path}\n IdentityAgent none\n UserKnownHostsFile ${at('keys-known')}\n GlobalKnownHostsFile none\n`;
      writeFileSync(at('keys-config'), config);
      writeFileSync(at('keys-known'), line(bracketed('plain'), 'plain'));
      writeFileSync(at('askpass'), `#!/bin/sh\necho '${passphrase}'\n`, { mode: 0o700 });
      const env = { ...process.env, SSH_ASKPASS: at('askpass'), SSH_ASKPASS_REQUIRE: 'force', DISPLAY: ':0' };
      execFileSync('ssh', ['-F', at('keys-config'), 'target', 'true'], { env, stdio: 'pipe' });
      const routes = new Routes(new SshConfig({ user: at('keys-config'), system: at('none'), home: folder }));
      const prompts = person(...(passphrase ? ['wrong', passphrase] : []));
      const ssh = await connectSsh({
        target: { host: 'target', port: null, user: null, label: 'kvm1' },
        knownHosts: new KnownHosts({ own: at('none'), user: [], system: [] }),
        routes,
        prompts,
        home: folder,
      });
      ssh.close();
      expect(prompts.questions.map(({ kind, again }) => [kind, again])).toEqual(
        passphrase
          ? [
              ['passphrase', false],
              ['passphrase', true],
            ]
          : [],
      );
    });
  }

  it.each([undefined, 'open sesame'])('ed25519 in PKCS #8, as openssl makes it (%j)', async (passphrase) => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const lock = passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase };
    const path = at(`pkcs8-ed25519-${passphrase === undefined}`);
    writeFileSync(path, privateKey.export({ type: 'pkcs8', format: 'pem', ...lock }), { mode: 0o600 });
    const key = unlocked(readFileSync(path, 'utf8'), passphrase);
    if (key instanceof Error) throw key;
    const blob = key.getPublicSSH().toString('base64');
    appendFileSync(join(server('plain').folder, 'authorized_keys'), `ssh-ed25519 ${blob}\n`);
    const ssh = await connectSsh({
      target: { ...server('plain'), user: 'root', label: 'kvm1', keyFiles: [path], noVerify: true },
      knownHosts: new KnownHosts({ own: at('none'), user: [], system: [] }),
      prompts: person(...(passphrase === undefined ? [] : [passphrase])),
      agent: null,
      home: folder,
    });
    ssh.close();
  });
});
