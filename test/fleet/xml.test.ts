import { describe, expect, it } from 'vitest';
import { attribute, child, children, parseXml, text } from '../../src-main/fleet/xml.ts';

describe('the small tree of an XML', () => {
  it('has attributes, children by name and text, with entities and CDATA resolved', () => {
    const root = parseXml(
      `<?xml version='1.0'?>\n<domain type='kvm'><name>a &amp; b</name><x:y xmlns:x='u'/><disk n='1'/><!-- --><disk n="&#50;"/><d><![CDATA[<]]></d></domain>`,
      'domain',
    );
    expect(attribute(root, 'type')).toBe('kvm');
    expect(text(child(root, 'name'))).toBe('a & b');
    expect(children(root, 'disk').map((disk) => attribute(disk, 'n'))).toEqual(['1', '2']);
    expect(text(child(root, 'd'))).toBe('<');
  });

  it('answers for what is not there', () => {
    const root = parseXml('<domain/>', 'domain');
    expect(attribute(root, 'constructor')).toBeNull();
    expect([child(root, 'os'), children(null, 'disk'), attribute(null, 'type'), text(null)]).toEqual([
      null,
      [],
      null,
      '',
    ]);
  });

  it.each([
    ['another root', '<network/>'],
    ['nothing', ''],
    ['an end that is missing', '<domain><name>'],
    ['a wrong end', '<domain><a></b></domain>'],
    ['an entity of its own', '<domain>&own;</domain>'],
    ['a document type', '<!DOCTYPE domain [<!ENTITY own "x">]><domain/>'],
  ])('refuses %s', (_what, xml) => {
    expect(() => parseXml(xml, 'domain')).toThrow();
  });
});
