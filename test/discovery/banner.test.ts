import { describe, expect, it } from 'vitest';
import { BannerReader } from '../../src-main/discovery/banner.ts';

/** Verdict and line after the chunks. */
function read(...chunks: (string | Buffer)[]) {
  const reader = new BannerReader();
  let verdict = 'more';
  for (const chunk of chunks) verdict = reader.take(Buffer.from(chunk as string));
  return [verdict, reader.line];
}

describe('a banner', () => {
  it('is SSH by its version line, wherever it is cut', () => {
    const text = 'SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n';
    for (let cut = 1; cut < text.length; cut += 1) {
      expect(read(text.slice(0, cut), text.slice(cut))).toEqual(['ssh', 'SSH-2.0-OpenSSH_9.2p1 Debian-2']);
    }
  });

  it('may come after other lines', () => {
    expect(read('Authorised use only\r\n\r\nSSH-2.0-x\n')).toEqual(['ssh', 'SSH-2.0-x']);
  });

  it('is not SSH before its line has ended', () => {
    expect(read('SSH-2.0-Open')).toEqual(['more', 'SSH-2.0-Open']);
    expect(read('xSSH-2.0-x\r\n')).toEqual(['more', 'xSSH-2.0-x']);
  });

  it('ends at its longest, though the line goes on', () => {
    const [verdict, line] = read(`SSH-2.0-${'x'.repeat(9000)}`);
    expect(verdict).toBe('ssh');
    expect(line!.length).toBeLessThanOrEqual(255);
  });

  it('is read no further than a few kilobytes', () => {
    expect(read('y\n'.repeat(10_000))[0]).toBe('other');
  });

  it('is shown without what moves a cursor or hides text', () => {
    expect(read('\x1b[2J\x07220 mail\u202e ready\x00\xff\r\n')[1]).toBe('[2J 220 mail ready ÿ');
    expect(read(Buffer.from([0xff, 0xfe, 0xfd, 10, 0x41, 10]))[1]).toBe('A');
    expect(read(Buffer.alloc(100))[1]).toBeNull();
  });

  it('keeps every byte for who takes the connection over', () => {
    const reader = new BannerReader();
    reader.take(Buffer.from('SSH-2.0-x\r\n\x00\x01'));
    expect(reader.read.toString('latin1')).toBe('SSH-2.0-x\r\n\x00\x01');
  });
});
