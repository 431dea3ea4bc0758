// The virsh command that does the same as a migration.
import { describe, expect, it, test } from 'vitest';
import type { DomainView, MigrationOptions } from '../../contract/model.ts';
import { type GivenOptions, resolveOptions } from '../../src-main/migration/options.ts';
import { quote, virshCommand } from '../../src-main/migration/virsh.ts';

const domain = (state: DomainView['state']) => ({ state, persistent: true }) as DomainView;
const resolve = (given: GivenOptions = {}, of = domain('running')) => resolveOptions(given, of);

describe('the same as a virsh command', () => {
  const [from, to] = ['qemu+ssh://root@kvm1/system', 'qemu+ssh://root@kvm2/system?keyfile=/a b'];
  const virsh = (options: MigrationOptions, name = 'web01', uri: string | null = 'tcp://10.0.0.2') =>
    virshCommand(options, { domain: name, from, to, migrateUri: uri });

  it('of a live migration', () => {
    expect(virsh(resolve())).toBe(
      `virsh -c qemu+ssh://root@kvm1/system migrate --live --persistent --undefinesource web01 '${to}' tcp://10.0.0.2`,
    );
  });

  it('of one by TLS, with the name that the certificate is for', () => {
    const ends = { domain: 'web01', from, to, migrateUri: 'tcp://10.0.0.2', tlsDestination: 'kvm2' };
    expect(virshCommand(resolve({ tls: true }), ends)).toContain(' --tls --tls-destination kvm2 web01 ');
  });

  it('of disks that go along with a running VM, and of what was written over a file that both have', () => {
    const copied = [
      { target: 'vda', path: '/a/x.qcow2', format: 'qcow2' },
      { target: 'vdb', path: '/a/y.raw', format: 'raw' },
    ];
    const ends = { domain: 'web01', from, to, migrateUri: null, copied };
    const of = (storage: 'shared' | 'copy' | 'copy-incremental') => virshCommand(resolve({ storage }), ends);
    expect(of('copy')).toContain(' --copy-storage-all --migrate-disks vda,vdb ');
    expect(of('copy-incremental')).toContain(' --copy-storage-inc --migrate-disks vda,vdb ');
    expect(of('shared')).not.toContain('storage');
  });

  it('of a VM that is shut off with its disks: each copied, then the definition', () => {
    const disk = { target: 'vda', path: '/a/x.qcow2', format: 'qcow2', to: '/b/x.qcow2' };
    const ends = { domain: 'web01', from, to, migrateUri: null, copied: [disk] };
    const [down, make, up, move] = virshCommand(resolve({ mode: 'cold' }, domain('shutoff')), ends).split(' && ');
    expect(down).toContain('vol-download --sparse /a/x.qcow2 x.qcow2');
    expect(make).toContain('vol-create-as POOL x.qcow2');
    expect(up).toContain('vol-upload --sparse /b/x.qcow2 x.qcow2');
    expect(move).toContain('migrate --offline --persistent --undefinesource web01 ');
  });

  it('of a definition', () => {
    expect(virsh(resolve({}, domain('shutoff')), 'web01', null)).toContain(' --offline --persistent --undefinesource ');
  });

  it('with all that was chosen, and nothing else', () => {
    expect(virsh(resolve({ autoConverge: true, bandwidthMiBps: 7, parallel: 2, destName: "o'brien" }))).toContain(
      ` --auto-converge --parallel --parallel-connections 2 --bandwidth 7 --dname 'o'\\''brien' web01 `,
    );
    expect(virsh(resolve({ mode: 'suspend', persistent: false, undefineSource: false }))).toMatch(/migrate web01 /);
  });
});

test.each([
  ['web01', 'web01'],
  ['', "''"],
  ['a b', "'a b'"],
  ["it's", "'it'\\''s'"],
  ['$(reboot)', "'$(reboot)'"],
  ['a;b', "'a;b'"],
  ['a\nb', "'a\nb'"],
  ['küche', "'küche'"],
  ['a?b&c', "'a?b&c'"],
])('a shell takes %j as one word', (word, quoted) => {
  expect(quote(word)).toBe(quoted);
});
