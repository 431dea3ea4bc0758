// Colouring XML loses no character of it.
import { describe, expect, it } from 'vitest';
import { xmlTokens } from '../../src-renderer/parts/xml-tokens.ts';

const sample = `<?xml version="1.0"?>
<!-- made by <hand> -->
<domain type='kvm' id='3'>
  <name>web &amp; db</name>
  <x:y a="1" b = '2'/>
  <![CDATA[ <raw> ]]>
</domain>`;

describe('colouring XML', () => {
  it.each([sample, '', '<', '<a b=', 'a > b < c', '<a b="x', "<a 'b'>", '</', '<!-- open', '<a\n\tb="1"\n/>'])(
    'keeps every character of %j',
    (xml) =>
      expect(
        xmlTokens(xml)
          .map((token) => token.text)
          .join(''),
      ).toBe(xml),
  );

  it('tells names, attributes, values and comments apart', () => {
    const of = (kind: string) =>
      xmlTokens(sample)
        .filter((token) => token.kind === kind)
        .map((token) => token.text);
    expect(of('tag')).toEqual(['domain', 'name', 'name', 'x:y', 'domain']);
    expect(of('attribute')).toEqual(['type', 'id', 'a', 'b']);
    expect(of('value')).toEqual(["'kvm'", "'3'", '"1"', "'2'"]);
    expect(of('comment')).toEqual(['<!-- made by <hand> -->']);
  });
});
