import { expect, it } from 'vitest';
import { happeningWord } from '../../src-renderer/words/happenings.ts';
import { lifecycleDetails } from '../../src-main/libvirt/index.ts';

it('every event that libvirt tells has words of its own', () => {
  for (const [event, details] of Object.entries(lifecycleDetails)) {
    for (const detail of details) expect(happeningWord({ event, detail }).word).not.toContain(event);
  }
  expect(happeningWord({ event: 'started', detail: 'booted' }).word).toBe('Started (booted)');
  expect(happeningWord({ event: 'reboot', detail: '' }).word).toBe('Rebooted');
  expect(happeningWord({ event: 'device_added', detail: 'net1' }).word).toBe('Device added (net1)');
});

it('what nobody wished for stands out', () => {
  for (const [event, detail] of [
    ['crashed', 'panicked'],
    ['suspended', 'I/O error'],
    ['stopped', 'failed'],
  ] as const) {
    expect(happeningWord({ event, detail }).tone).toBe('bad');
  }
  expect(happeningWord({ event: 'stopped', detail: 'shut down' }).tone).toBe('off');
});
