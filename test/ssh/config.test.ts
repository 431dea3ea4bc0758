// OpenSSH's configuration: what Drover makes of it is what ssh makes of it, with ssh's help and without.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseConfig, readConfig, valuesFor, type ConfigQuery } from '../../src-main/ssh/config-files.ts';
import { SshConfig, SshError } from '../../src-main/ssh/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'drover-config-'));
const user = join(folder, 'config');
const system = join(folder, 'none');
const sshIsHere = process.platform !== 'win32' && existsSync('/usr/bin/ssh');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const write = (text: string, path = user) => writeFileSync(path, text);
const query = (host: string, more: Partial<ConfigQuery> = {}): ConfigQuery => ({
  host,
  user: null,
  port: null,
  ...more,
});
const read = (host: string, more: Partial<ConfigQuery> = {}, program: string | null = null) =>
  new SshConfig({ user, system, home: folder, program }).of(query(host, more));

const example = `
# A comment, and a line that is no configuration in any eyes but ssh's own
User = everyone
Include ${folder}/conf.d/*.conf

Host kvm1 kvm1.* !kvm1.bad
  HostName 10.0.0.1
  Port 2222
  IdentityFile ${folder}/first
  IdentityFile "${folder}/%r on %n"
Host gate*
  ProxyJump none
  HostName %h.example.org
  IdentitiesOnly yes
Host far
  ProxyJump ops@gate1:2200,[fe80::1]:22,gate2
  HostKeyAlias far-away
  ServerAliveInterval 1m
  ConnectTimeout 7
Host piped
  ProxyCommand nc -X 5 -x "proxy:1080" %h %p
  ProxyJump gate1
Match host 10.0.0.1 user root
  ServerAliveCountMax 7
Match originalhost kvm1 !user root
  ServerAliveCountMax 9
Match host *.example.org
  AddressFamily inet6
Match final host 10.0.0.1
  Compression yes
Match localuser nobody-here
  Port 1
Host *
  StrictHostKeyChecking accept-new
  UserKnownHostsFile ${folder}/known1 ${folder}/known2
  Ciphers aes256-gcm@openssh.com,aes128-ctr
  IdentityAgent none
  Port 2022
`;

/** Keywords whose values ssh -G prints as they stand in the file. */
const compared = [
  ...['hostname', 'user', 'port', 'identityfile', 'identitiesonly', 'identityagent', 'proxyjump', 'proxycommand'],
  ...['userknownhostsfile', 'hostkeyalias', 'serveraliveinterval', 'serveralivecountmax', 'connecttimeout', 'ciphers'],
  ...['addressfamily', 'compression'],
];

describe.skipIf(!sshIsHere)('without ssh, the files say what ssh -G says', () => {
  mkdirSync(join(folder, 'conf.d'), { recursive: true });
  write('Host included\n  HostName in.example.net\n  User inside\n', join(folder, 'conf.d/10.conf'));
  write('Host inc*\n  HostName later\n  Port 77\n', join(folder, 'conf.d/20.conf'));
  write('Host *\n  Port 99\n', join(folder, 'conf.d/.hidden.conf'));

  const asked: ConfigQuery[] = [
    ...['kvm1', 'KVM1', 'kvm1.lan', 'kvm1.bad', 'gate1', 'far', 'piped', 'included', 'income', 'other'].map((host) =>
      query(host),
    ),
    query('kvm1', { user: 'root', port: 22 }),
    query('10.0.0.1', { user: 'root' }),
  ];
  it.each(asked)('of $host as $user, port $port', async ({ host, user: login, port }) => {
    write(example);
    const argv = [
      ...['-G', '-T', '-F', user],
      ...(login === null ? [] : ['-l', login]),
      ...(port === null ? [] : ['-p', `${port}`]),
      host,
    ];
    const theirs = new Map<string, string[]>();
    for (const line of execFileSync('ssh', argv, { encoding: 'utf8' }).split('\n')) {
      const [keyword = '', ...rest] = line.split(' ');
      theirs.set(keyword, [...(theirs.get(keyword) ?? []), rest.join(' ')]);
    }
    const ours = valuesFor([await readConfig(user, folder, folder)], { host, user: login, port });
    const hostName = (values: typeof ours) => values.get('hostname')?.[0]?.replace('%h', host.toLowerCase());
    for (const keyword of compared) {
      const values = ours.get(keyword);
      if (!values) continue;
      const seconds = keyword === 'serveraliveinterval' ? ['60'] : values;
      const expanded = keyword === 'hostname' ? [hostName(ours)] : seconds;
      if (keyword === 'proxyjump' && values[0] === 'none') expect(theirs.has(keyword)).toBe(false);
      else expect(theirs.get(keyword), keyword).toEqual(expanded);
    }
    // And what they say that is no default of ssh, we say too.
    for (const keyword of ['hostname', 'user', 'port', 'proxyjump', 'proxycommand', 'hostkeyalias']) {
      const said = theirs.get(keyword)?.[0];
      if (said !== undefined && !(keyword === 'hostname' && said === host.toLowerCase()))
        expect(keyword === 'hostname' ? hostName(ours) : ours.get(keyword)?.[0], keyword).toBe(said);
    }
    expect(await read(host, { user: login, port }, null)).toEqual(await read(host, { user: login, port }, 'ssh'));
  });
});

/** Forms that files have in the wild, each with the host that it is asked for. */
const odd: [string, string, string][] = [
  [
    'Match originalhost',
    'Host a\n HostName b.example\nMatch originalhost a\n Port 1\nMatch host b.example\n User u',
    'a',
  ],
  ['Match with a list, a negation and a user', 'User root\nMatch host a,!b user root\n Port 5', 'a'],
  ['Match that a negation rules out', 'User root\nMatch host *,!b user root\n Port 5', 'b'],
  ['Match by equals signs and quotes', 'Match host="a,b" user=*\n Port 5', 'a'],
  ['Match of a name in capitals', 'Match host a originalhost A\n Port 5', 'A'],
  ['Match canonical beside Match final', 'Match canonical\n Port 6\nMatch final\n User f', 'a'],
  ['Match final, negated', 'HostName b\nMatch final host b\n Port 5\nMatch !final\n User f', 'a'],
  ['Include within a Match', `Match host a\n Include ${folder}/conf.d/*.conf`, 'included'],
  ['Include within a Match that holds', `Match host inc*\n Include ${folder}/conf.d/?0.conf\n User last`, 'included'],
  ['CanonicalizeHostname no', 'CanonicalizeHostname no\nPort 10', 'a'],
  ['tokens', 'HostName b\nUser z\nProxyJump g\nIdentityFile /k/%h-%p-%r-%n-%C-%j-%%\nUserKnownHostsFile /x/%k', 'a'],
  [
    'values with equals signs',
    'HostName="b.example"\nUser = a=b\nIdentityFile "/k/a=b"\nUserKnownHostsFile /k/d=e /k/f',
    'a',
  ],
  ['a ProxyCommand with options', 'ProxyCommand ssh -o BatchMode=yes -o "User=a b"  -W [%h]:%p gate # no comment', 'a'],
  ['a ProxyCommand behind an equals sign', "ProxyCommand\t=\tsh -c 'nc -X5 x=y %h %p'  ", 'a'],
  ['a backslash before a blank', 'IdentityFile /k/a\\ b\nUser x#y', 'a'],
  ['an address in long form', 'HostName FD00:0::0011', 'a'],
  ['a ProxyJump to IPv6', 'ProxyJump root@[fd00::1]:2222,[fe80::1%%eth0]', 'a'],
];

it.skipIf(!sshIsHere).each(odd)('%s: what ssh -G makes of it, with ssh and without', async (_what, text, host) => {
  write(`${text}\n`);
  const withSsh = await read(host, {}, 'ssh');
  expect(await read(host, {}, null)).toEqual(withSsh);
});

describe('what is configured', () => {
  it('is Drover’s default where nothing is', async () => {
    write('');
    expect(await read('kvm1')).toMatchObject({
      hostName: 'kvm1',
      port: 22,
      proxyJump: [],
      strictHostKeyChecking: 'ask',
    });
    expect(await read('kvm1')).not.toHaveProperty('identityFiles');
  });

  it('gives way to what the URI says', async () => {
    write('Host kvm1\n User config\n Port 2022\n');
    expect(await read('kvm1', { user: 'uri', port: 22 })).toMatchObject({ user: 'uri', port: 22 });
    expect(await read('kvm1')).toMatchObject({ user: 'config', port: 2022 });
  });

  it('expands its tokens, its tilde and the environment', async () => {
    process.env['DROVER_TEST_PLACE'] = '/place';
    write(
      'Host kvm1\n HostName %h.lan\n User ops\n IdentityFile ~/keys/%r@%h:%p\n IdentityFile ${DROVER_TEST_PLACE}/%n\n',
    );
    const config = await read('kvm1');
    expect(config.identityFiles).toEqual([`${join(folder, 'keys')}${sep}ops@kvm1.lan:22`, '/place/kvm1']);
  });

  it('lets no name become a command of the shell that runs ProxyCommand', async () => {
    write('Host *\n ProxyCommand connect %r %h %p\n');
    expect((await read('kvm1', { user: 'ops' })).proxyCommand).toBe('connect ops kvm1 22');
    for (const login of ['$(id)', 'a;b', "a'b", 'a b', '`id`', 'a|b', 'a\nb', 'a&b']) {
      await expect(read('kvm1', { user: login })).rejects.toThrow(/would mean something to the shell/);
    }
    for (const host of ['$(id)', 'a;b', '-oProxyCommand=x']) await expect(read(host)).rejects.toThrow(SshError);
  });

  it('runs nothing for Match exec', async () => {
    const touched = join(folder, 'touched');
    write(`Match exec "touch ${touched}"\n Port 1\nMatch !exec "touch ${touched}"\n Port 2\n`);
    expect((await read('kvm1')).port).toBe(22);
    expect(existsSync(touched)).toBe(false);
  });

  it.skipIf(!sshIsHere)('is told where it is wrong, as ssh tells it', async () => {
    write('Host kvm1\n Port many\n');
    await expect(read('kvm1', {}, 'ssh')).rejects.toMatchObject({ kind: 'misconfigured' });
    await expect(read('kvm1', {}, 'ssh')).rejects.toThrow(/config line 2/);
    await expect(read('kvm1')).rejects.toThrow(/“many” is no number/);
  });

  it('is read where ssh is not installed', async () => {
    write('Host kvm1\n HostName 10.1.1.1\n');
    expect(await read('kvm1', {}, '/nowhere/ssh')).toMatchObject({ hostName: '10.1.1.1' });
  });

  it('ends though it includes itself', async () => {
    write(`Include ${user}\nHost kvm1\n Port 3\n`);
    expect((await read('kvm1')).port).toBe(3);
  });

  it.each(['Host "old lab', 'Host', 'Match "user'])('that stands under “%s” is for nobody', async (line) => {
    write(`Host kvm1\n  Port 2201\n${line}\n  StrictHostKeyChecking no\n  User eve\nHost kvm2\n  Port 2202\n`);
    expect(await read('kvm1')).toMatchObject({ port: 2201 });
    expect((await read('kvm1')).strictHostKeyChecking).toBe('ask');
    expect((await read('kvm1')).user).not.toBe('eve');
    expect((await read('kvm2')).port).toBe(2202);
  });

  it.each(['!localnetwork 10.0.0.0/8', '!tagged work', '!exec true'])(
    'that depends on what is not known here is not taken: Match %s',
    async (criteria) => {
      write(`Match ${criteria}\n  StrictHostKeyChecking no\n`);
      expect((await read('kvm1')).strictHostKeyChecking).toBe('ask');
    },
  );

  it('may have its keyword in quotes', async () => {
    write('"Port" 2207\n');
    expect((await read('kvm1')).port).toBe(2207);
  });

  it.skipIf(!sshIsHere)('in a file that only ssh can find is told by ssh', async () => {
    mkdirSync(join(folder, 'odd'), { recursive: true });
    write('Host kvm1\n  ProxyJump gate1\n  IdentitiesOnly yes\n', join(folder, 'odd', '10-jump.conf'));
    write(`Include ${folder}/odd/[0-9]*.conf\n`);
    const config = await read('kvm1', {}, 'ssh');
    expect(config.proxyJump).toEqual(['gate1']);
    expect(config.identitiesOnly).toBe(true);
    expect(config.serverAliveIntervalMs).toBeUndefined();
  });

  it('of thousands of hosts is read to its end', () => {
    const hosts = Array.from(
      { length: 20_000 },
      (_, n) => `Host vm${n}.cluster.example.org\n  Port ${n + 1000}\n  User ops\n`,
    );
    const values = valuesFor([parseConfig(hosts.join(''))], {
      host: 'vm19999.cluster.example.org',
      user: null,
      port: null,
    });
    expect(values.get('port')).toEqual(['20999']);
  });

  it('of one malformed line spoils no other', () => {
    const entries = parseConfig('Host "kvm1\n=\n Port\n\u0000\nHost kvm2\n Port 4\n');
    expect(valuesFor([entries], query('kvm2')).get('port')).toEqual(['4']);
  });
});
