// A Drover whose calls only note what they were asked and answer what the test says, behind the real door and feed.
import { calls, type CallName } from '../../contract/calls.ts';
import type { Snapshot } from '../../contract/events.ts';
import type { Api, Caller } from '../../src-main/api/api.ts';
import { Door } from '../../src-main/api/door.ts';
import type { Drover } from '../../src-main/api/drover.ts';
import { Feed } from '../../src-main/api/feed.ts';

export type Carry = (args: Record<string, unknown>, caller: Caller) => unknown;

export class StandIn implements Drover {
  readonly version = '0.0.0-test';
  readonly feed = new Feed();
  readonly door: Door;
  /** What was asked, in order. */
  readonly asked: { name: CallName; args: Record<string, unknown> }[] = [];
  /** What to do for a call; others answer with their name. */
  readonly carry: Partial<Record<CallName, Carry>> = {};
  /** Bugs that the door was told of. */
  readonly bugs: unknown[] = [];
  windowCount = 0;
  closed = false;
  onClose: () => void | Promise<void> = () => {};

  constructor() {
    const names = Object.keys(calls) as CallName[];
    const api = Object.fromEntries(
      names.map((name) => [
        name,
        (args: Record<string, unknown>, caller: Caller) => {
          this.asked.push({ name, args });
          return (this.carry[name] ?? (() => ({ call: name })))(args, caller);
        },
      ]),
    );
    this.door = new Door(api as unknown as Api, this.feed, (error) => this.bugs.push(error));
    this.carry['fleet.snapshot'] = () => this.snapshot();
  }

  snapshot(): Snapshot {
    const { epoch, seq } = this.feed;
    return { epoch, seq, hosts: [], domains: [], migrations: [], scans: [], questions: [] };
  }

  /** One change, for those who listen. */
  notice(message: string): void {
    this.feed.push({ event: 'notice', data: { level: 'info', message, at: '2026-01-01T00:00:00.000Z' } });
  }

  windows(count: number): void {
    this.windowCount = count;
  }

  async close(): Promise<void> {
    await this.onClose();
    this.closed = true;
    this.feed.close();
  }
}
