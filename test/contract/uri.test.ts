// Which URIs are taken, what they mean, and what is said of the others.
import { describe, expect, it, test } from 'vitest';
import { Failure } from '../../contract/failure.ts';
import { labelOf, parseHostUri } from '../../contract/uri.ts';

function refusal(text: string): Failure {
  try {
    parseHostUri(text);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error(`${text} was taken`);
}

test('a full URI is taken apart', () => {
  expect(
    parseHostUri('  qemu+ssh://root@KVM1.example.org:2222/system?keyfile=/home/a%20b/id&no_verify=1&mode=direct '),
  ).toEqual({
    text: 'qemu+ssh://root@KVM1.example.org:2222/system?keyfile=/home/a%20b/id&no_verify=1&mode=direct',
    canonical: 'qemu+ssh://root@kvm1.example.org:2222/system?keyfile=/home/a%20b/id&mode=direct&no_verify=1',
    driver: 'qemu',
    transport: 'ssh',
    path: '/system',
    daemonUri: 'qemu:///system',
    user: 'root',
    host: 'KVM1.example.org', // as written: ssh's `Host` tells capitals apart
    port: 2222,
    parameters: { keyfile: '/home/a b/id', no_verify: '1', mode: 'direct' },
  });
});

describe('the same host is the same canonical URI', () => {
  const same: [string, string][] = [
    ['qemu+ssh://kvm1/system', 'QEMU+SSH://KVM1/system'],
    ['qemu+ssh://kvm1/system', 'qemu+ssh://kvm1:22/system'],
    ['qemu+ssh://kvm1/system', 'qemu+ssh://kvm1:/system'],
    ['qemu+ssh://kvm1/system', ' qemu+ssh://kvm1/system\n'],
    ['qemu+ssh://kvm1/system', 'qemu+ssh://kvm%31/system'],
    ['qemu+ssh://kvm1/system?mode=auto&proxy=native', 'qemu+ssh://kvm1/system?proxy=native&mode=auto'],
    ['qemu+ssh://kvm1/system?keyfile=/a b'.replace(' ', '%20'), 'qemu+ssh://kvm1/system?keyfile=%2Fa%20b'],
    ['qemu+ssh://[fe80::1]/system', 'qemu+ssh://[FE80::1]:22/system'],
    ['qemu:///system', 'qemu+unix:///system'],
  ];
  it.each(same)('%s and %s', (a, b) => {
    expect(parseHostUri(b).canonical).toBe(parseHostUri(a).canonical);
  });

  const other: [string, string][] = [
    ['qemu+ssh://kvm1/system', 'qemu+ssh://root@kvm1/system'],
    ['qemu+ssh://kvm1/system', 'qemu+ssh://kvm1:2222/system'],
    ['qemu+ssh://kvm1/system', 'qemu+ssh://kvm1/session'],
    ['qemu+ssh://Root@kvm1/system', 'qemu+ssh://root@kvm1/system'],
    ['qemu+ssh://kvm1/system', 'qemu+ssh://kvm1/system?keyfile=/a'],
  ];
  it.each(other)('but not %s and %s', (a, b) => {
    expect(parseHostUri(b).canonical).not.toBe(parseHostUri(a).canonical);
  });

  it('and a canonical URI is its own canonical form', () => {
    for (const [a, b] of [...same, ...other]) {
      for (const { canonical } of [parseHostUri(a), parseHostUri(b)]) {
        expect(parseHostUri(canonical).canonical).toBe(canonical);
      }
    }
  });
});

describe('taken', () => {
  const cases: [string, Partial<ReturnType<typeof parseHostUri>>][] = [
    ['qemu+ssh://kvm1/system', { user: null, host: 'kvm1', port: null, transport: 'ssh' }],
    ['qemu+ssh://10.0.0.7/system', { host: '10.0.0.7' }],
    ['qemu+ssh://[2001:db8::7]:2222/system', { host: '2001:db8::7', port: 2222 }],
    ['qemu+ssh://[fe80::1%25eth0]/system', { host: 'fe80::1%eth0' }],
    ['qemu+ssh://DOMAIN%5Cadmin@kvm1/system', { user: 'DOMAIN\\admin' }],
    ['qemu+ssh://a%40b@kvm1/system', { user: 'a@b', host: 'kvm1' }],
    ['qemu+ssh://küche/system', { host: 'küche' }],
    ['qemu+ssh://kvm_1/session', { host: 'kvm_1', path: '/session', daemonUri: 'qemu:///session' }],
    ['qemu:///system', { transport: 'local', host: null, user: null }],
    ['qemu:///system?socket=/tmp/s', { parameters: { socket: '/tmp/s' } }],
    ['test:///default', { driver: 'test', daemonUri: 'test:///default' }],
    ['qemu+ssh://kvm1/system?command=ssh', { parameters: { command: 'ssh' } }],
    ['qemu+ssh://ops@kvm1/system?sudo=1', { parameters: { sudo: '1' } }],
    ['qemu+ssh://kvm1/system?keyfile=/a%26b=c', { parameters: { keyfile: '/a&b=c' } }],
  ];
  it.each(cases)('%s', (text, parts) => {
    expect(parseHostUri(text)).toMatchObject(parts);
  });
});

describe('refused, with what is wrong', () => {
  const cases: [string, RegExp][] = [
    ['', /a URI has a scheme/],
    ['kvm1', /a URI has a scheme/],
    ['ssh://kvm1/system', /driver “ssh”/],
    ['xen+ssh://kvm1/', /driver “xen”/],
    ['qemu+tls://kvm1/system', /transport “tls”/],
    ['qemu+ssh://kvm1/system?command=/tmp/evil', /can only be ssh/],
    ['qemu+ext://kvm1/system', /transport “ext”/],
    ['qemu+ssh:///system', /names no host/],
    ['qemu://kvm1/system', /no transport/],
    ['qemu+ssh://kvm1', /path is “”/],
    ['qemu+ssh://kvm1/', /path is “\/”/],
    ['qemu+ssh://kvm1/System', /path is “\/System”/],
    ['test:///system', /has to be \/default/],
    ['qemu+ssh://kvm1/system#top', /fragment/],
    ['qemu+ssh://kvm1:0/system', /port 0/],
    ['qemu+ssh://kvm1:65536/system', /port 65536/],
    ['qemu+ssh://kvm1:ssh/system', /no user, host and port/],
    ['qemu+ssh://2001:db8::7/system', /no user, host and port/],
    ['qemu+ssh://[kvm1]/system', /no IPv6 address/],
    ['qemu+ssh://[dead]/system', /no IPv6 address/],
    ['qemu+ssh://@kvm1/system', /user before the @ is empty/],
    ['qemu+ssh://kv m1/system', /white space/],
    ['qemu+ssh://kvm1/system\u0000', /control characters/],
    ['qemu+ssh://a%0ab@kvm1/system', /control characters/],
    ['qemu+ssh://kvm1/system?socket=/run/s%00', /control characters/],
    ['qemu+ssh://kvm1/system?keyfile=%ff', /percent-encoded/],
    ['qemu+ssh://%zz/system', /percent-encoded/],
    ['qemu+ssh://kvm1/system?no_tty=1', /parameter “no_tty”/],
    ['qemu+ssh://kvm1/system?constructor=1', /parameter “constructor”/],
    ['qemu+ssh://kvm1/system?mode=auto&mode=direct', /there twice/],
    ['qemu+ssh://kvm1/system?keyfile', /“keyfile” is empty/],
    ['qemu+ssh://kvm1/system?proxy=yes', /proxy is “yes”/],
    ['qemu+ssh://kvm1/system?mode=fast', /mode is “fast”/],
    ['qemu+ssh://kvm1/system?no_verify=true', /no_verify is “true”/],
    ['qemu+ssh://kvm1/system?sudo=yes', /sudo is “yes”/],
    ['qemu+ssh://kvm1/session?sudo=1', /libvirt of a whole host/],
    ['qemu:///system?sudo=1', /reached by ssh/],
    ['qemu+ssh://kvm1/system?socket=run/s', /absolute path/],
    // What other programs would take for an option, or a shell for a command.
    ['qemu+ssh://-oProxyCommand=touch%20%2Ftmp%2Fx/system', /is no host name/],
    ['qemu+ssh://-l@kvm1/system', /“-l” is no user name/],
    ['qemu+ssh://%2doProxyCommand=x@kvm1/system', /is no user name/],
    ['qemu+ssh://kvm1;reboot/system', /is no host name/],
    ['qemu+ssh://$(reboot)/system', /is no host name/],
    ['qemu+ssh://kvm1%2f..%2f/system', /is no host name/],
  ];
  it.each(cases)('%j', (text, why) => {
    const failure = refusal(text);
    expect(failure.code).toBe('bad-request');
    expect(failure.message).toMatch(why);
    expect(failure.message).toMatch(/\.$/);
  });
});

it.each([
  'qemu+ssh://root:s3cret@kvm1/system',
  'qemu+ssh://root:s3cret@kvm1:22/system?mode=auto',
  'qemu+ssh://root:s3@cret@kvm1/system',
  'qemu+ssh://root:s3cret@kvm1/nowhere',
  'xen+ssh://root:s3cret@kvm1/system',
])('a password is refused and not repeated: %s', (text) => {
  const { message, detail } = refusal(text);
  expect(message + JSON.stringify(detail)).not.toMatch(/s3cret|cret@/);
  expect(message).toContain('root:…@kvm1');
});

test('a host without a label is called by its name, a local one by its URI', () => {
  expect(labelOf(parseHostUri('qemu+ssh://root@KVM1/system'))).toBe('kvm1');
  expect(labelOf(parseHostUri('qemu:///system'))).toBe('qemu:///system');
});
