import { expect, it } from 'vitest';
import { parsePorts } from '../../contract/ports.ts';

it.each([
  ['22', [22]],
  ['22, 2222', [22, 2222]],
  ['22 2222,22', [22, 2222]],
  ['5900-5903', [5900, 5901, 5902, 5903]],
  ['22, 5900 - 5901', [22, 5900, 5901]],
  ['65535', [65535]],
])('ports are read as people write them: %s', (text, ports) => {
  expect(parsePorts(text)).toEqual({ ports });
});

it.each([
  ['', /No port is named/],
  ['ssh', /“ssh” is no port/],
  ['22-', /“22-” is no port/],
  ['-22', /is no port/],
  ['1-2-3', /is no port/],
  ['0', /from 1 to 65535/],
  ['22-70000', /from 1 to 65535/],
  ['2222-22', /“2222-22” is upside down.*Did you mean 22-2222\?/],
  ['1-1000', /more than 64 ports/],
  ['1-40,100-140', /more than 64 ports/],
])('what is no port is told in a sentence: %s', (text, why) => {
  expect(parsePorts(text)).toEqual({ problem: expect.stringMatching(why) as string });
});
