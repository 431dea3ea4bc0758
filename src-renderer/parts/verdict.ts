// How a host's answer to a drag looks.
import { verdicts } from '../words/drag.ts';

export interface HostVerdict {
  level: 'ok' | 'warn' | 'blocked' | 'checking' | 'here';
  reason: string | null;
  of: number | null;
}

const looks = {
  ok: { tone: 'ok', word: verdicts.ok },
  warn: { tone: 'warn', word: verdicts.warn },
  blocked: { tone: 'bad', word: verdicts.blocked },
  here: { tone: 'off', word: verdicts.here },
  checking: { tone: 'busy', word: verdicts.checking },
} as const;

export const verdictLook = ({ level }: HostVerdict) => looks[level];
