// Changing a part of an XML text: that part, and nothing else.
import { describe, expect, it } from 'vitest';
import { changed, elementTexts } from '../../src-main/fleet/xml-edit.ts';

const xml = `<?xml version='1.0'?>
<domain type='kvm'>
  <metadata><a:devices xmlns:a='urn:a'><interface>no</interface></a:devices></metadata>
  <!-- <devices><interface/></devices> -->
  <description>ein Gerät 𝒳 &lt;interface></description>
  <devices>
    <interface type='bridge'><source bridge='br0'/></interface>
    <disk/>
    <interface type='user'/>
  </devices>
</domain>`;
const path = ['domain', 'devices', 'interface'];

describe('elements of a path', () => {
  it('are given as they stand there', () => {
    expect(elementTexts(xml, path)).toEqual([
      "<interface type='bridge'><source bridge='br0'/></interface>",
      "<interface type='user'/>",
    ]);
    expect(elementTexts(xml, ['domain', 'devices', 'disk'])).toEqual(['<disk/>']);
    expect(elementTexts(xml, ['domain'])[0]).toMatch(/^<domain [^]*<\/domain>$/);
    expect(elementTexts(xml, ['domain', 'os'])).toEqual([]);
  });
  it('are changed, and the rest stays', () => {
    expect(changed(xml, path, (one) => one)).toBe(xml);
    expect(changed(xml, path, (one) => one.replace('br0', 'br1'))).toBe(xml.replace("bridge='br0'", "bridge='br1'"));
  });
  it('of what is malformed are none', () => {
    expect(() => elementTexts('<domain>', ['domain'])).toThrow(/malformed/);
  });
});
