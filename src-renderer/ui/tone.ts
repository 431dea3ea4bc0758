// How a thing stands: the five tones that colours are given by, and the shapes that say it without colour.
export type Tone = 'ok' | 'warn' | 'bad' | 'off' | 'busy';
export type Shape = 'run' | 'pause' | 'stop' | 'dot' | 'tick' | 'bang' | 'cross' | 'turn';

/** The shape of a tone where none is named. */
export const usualShape: Record<Tone, Shape> = { ok: 'dot', warn: 'bang', bad: 'cross', off: 'stop', busy: 'turn' };
