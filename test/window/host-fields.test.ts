// Fields and URI say the same thing of a host.
import { describe, expect, it } from 'vitest';
import { checkUri, fieldsOf, looksLikeUri, uriOf } from '../../src-renderer/parts/host-fields.ts';

describe('the fields of a host', () => {
  it.each([
    [{ host: 'kvm1', user: 'root', port: '' }, 'qemu+ssh://root@kvm1/system'],
    [{ host: ' kvm1 ', user: '', port: '2222' }, 'qemu+ssh://kvm1:2222/system'],
    [{ host: 'fd00::1', user: 'admin', port: '22' }, 'qemu+ssh://admin@[fd00::1]:22/system'],
    [{ host: '[fd00::1]', user: '', port: '' }, 'qemu+ssh://[fd00::1]/system'],
    [{ host: 'kvm1', user: 'a@b', port: '' }, 'qemu+ssh://a%40b@kvm1/system'],
  ])('%j stand for %s', (fields, uri) => expect(uriOf(fields)).toBe(uri));

  it.each(['qemu+ssh://root@kvm1/system', 'qemu+ssh://kvm1:2222/system', 'qemu+ssh://admin@[fd00::1]/system'])(
    '%s goes into the fields and back',
    (uri) => expect(uriOf(fieldsOf(uri) ?? { host: '', user: '', port: '' })).toBe(uri),
  );

  it.each(['qemu+ssh://kvm1/system?keyfile=/k', 'qemu:///system', 'test:///default', 'nonsense'])(
    '%s is more than the fields can show',
    (uri) => expect(fieldsOf(uri)).toBeNull(),
  );

  it('says what is wrong with a URI, and nothing of an empty field', () => {
    expect(checkUri('')).toBeNull();
    expect(checkUri('xen:///')).toMatchObject({ ok: false, problem: expect.stringMatching(/xen/) as string });
    expect(checkUri(uriOf({ host: 'a b', user: '', port: '' }))).toMatchObject({ ok: false });
    expect(checkUri(uriOf({ host: 'kvm1', user: '', port: '70000' }))).toMatchObject({ ok: false });
  });

  it('knows a whole URI where a name is asked for', () => {
    expect(looksLikeUri('qemu+ssh://kvm1/system')).toBe(true);
    expect(looksLikeUri('kvm1')).toBe(false);
  });
});
