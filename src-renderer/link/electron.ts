// The link inside the desktop app: the preload's bridge, which is up as long as the window is.
import type { ArgsIn, CallName, Result } from '../../contract/calls.ts';
import type { LinkEvents } from '../../contract/events.ts';
import type { Link } from '../../contract/link.ts';
import type { Bridge } from '../../contract/wire.ts';
import { resultOf } from './result.ts';

declare global {
  interface Window {
    /** There in the desktop app only. */
    drover?: Bridge;
  }
}

/** Null in a browser. */
export const desktopBridge = (): Bridge | null => window.drover ?? null;

export class ElectronLink implements Link {
  readonly #bridge: Bridge;

  constructor(bridge: Bridge) {
    this.#bridge = bridge;
  }

  async call<N extends CallName>(name: N, args: ArgsIn<N>): Promise<Result<N>> {
    return resultOf(await this.#bridge.call(name, args)) as Result<N>;
  }

  on<E extends keyof LinkEvents | 'up'>(
    event: E,
    listener: (payload: E extends keyof LinkEvents ? LinkEvents[E] : boolean) => void,
  ): () => void {
    const hear = listener as (payload: unknown) => void;
    if (event !== 'up') return this.#bridge.on(event, hear);
    hear(true);
    return () => {};
  }
}
