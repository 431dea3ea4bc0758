// How a thing stands: the five tones that shapes and colours are given by.
export type Tone = 'ok' | 'warn' | 'bad' | 'off' | 'busy';
