// Fields and URI say the same thing of a host.
import { describe, expect, it } from 'vitest';
import { checkUri, fieldsOf, looksLikeUri, uriOf } from '../../src-renderer/parts/host-fields.ts';

describe('the fields of a host', () => {
  it.each([
    [{ host: 'kvm1', user: 'root', port: '', sudo: false }, 'qemu+ssh://root@kvm1/system'],
    [{ host: ' kvm1 ', user: '', port: '2222', sudo: false }, 'qemu+ssh://kvm1:2222/system'],
    [{ host: 'fd00::1', user: 'admin', port: '22', sudo: false }, 'qemu+ssh://admin@[fd00::1]:22/system'],
    [{ host: '[fd00::1]', user: '', port: '', sudo: false }, 'qemu+ssh://[fd00::1]/system'],
    [{ host: 'kvm1', user: 'ops', port: '', sudo: true }, 'qemu+ssh://ops@kvm1/system?sudo=1'],
    [{ host: 'kvm1', user: 'a@b', port: '', sudo: false }, 'qemu+ssh://a%40b@kvm1/system'],
  ])('%j stand for %s', (fields, uri) => expect(uriOf(fields)).toBe(uri));

  it.each([
    'qemu+ssh://root@kvm1/system',
    'qemu+ssh://kvm1:2222/system',
    'qemu+ssh://admin@[fd00::1]/system',
    'qemu+ssh://ops@kvm1/system?sudo=1',
  ])('%s goes into the fields and back', (uri) =>
    expect(uriOf(fieldsOf(uri) ?? { host: '', user: '', port: '', sudo: false })).toBe(uri),
  );

  it.each([
    'qemu+ssh://kvm1/system?keyfile=/k',
    'qemu+ssh://kvm1/system?sudo=1&keyfile=/k',
    'qemu:///system',
    'test:///default',
    'nonsense',
  ])('%s is more than the fields can show', (uri) => expect(fieldsOf(uri)).toBeNull());

  it('says what is wrong with a URI, and nothing of an empty field', () => {
    expect(checkUri('')).toBeNull();
    expect(checkUri('xen:///')).toMatchObject({ ok: false, problem: expect.stringMatching(/xen/) as string });
    expect(checkUri(uriOf({ host: 'a b', user: '', port: '', sudo: false }))).toMatchObject({ ok: false });
    expect(checkUri(uriOf({ host: 'kvm1', user: '', port: '70000', sudo: false }))).toMatchObject({ ok: false });
  });

  it('knows a whole URI where a name is asked for', () => {
    expect(looksLikeUri('qemu+ssh://kvm1/system')).toBe(true);
    expect(looksLikeUri('kvm1')).toBe(false);
  });
});
