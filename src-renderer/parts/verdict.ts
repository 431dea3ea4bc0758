// How a host's answer to a drag looks.
export interface HostVerdict {
  level: 'ok' | 'warn' | 'blocked' | 'checking' | 'here';
  reason: string | null;
  of: number | null;
}

const looks = {
  ok: { tone: 'ok', word: 'Can take it' },
  warn: { tone: 'warn', word: 'Can take it, but' },
  blocked: { tone: 'bad', word: 'Cannot take it' },
  here: { tone: 'off', word: 'Here now' },
  checking: { tone: 'busy', word: 'Asking the hosts…' },
} as const;

export const verdictLook = ({ level }: HostVerdict) => looks[level];
