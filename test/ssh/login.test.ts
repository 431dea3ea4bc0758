// Logging in with answers: passwords and keyboard-interactive, on a server made of ssh2.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AuthContext } from 'ssh2';
import {
  connectSsh,
  KnownHosts,
  Routes,
  SecretCache,
  SshConfig,
  SshError,
  type SshPrompts,
} from '../../src-main/ssh/index.ts';
import { person, sshPeer, type SshPeer } from './peers.ts';

const folder = mkdtempSync(join(tmpdir(), 'drover-login-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
let knownHosts: KnownHosts;
let secrets: SecretCache;
let peer: SshPeer;
beforeEach(() => {
  knownHosts = new KnownHosts({ own: join(folder, `known-${(files += 1)}`), user: [], system: [] });
  secrets = new SecretCache();
});
afterEach(() => peer.stop());

async function host(authenticate: (context: AuthContext, attempts: string[]) => void, methods: string[]) {
  peer = await sshPeer(authenticate, { methods });
  await knownHosts.pin(peer.host, peer.port, peer.key);
}

async function login(prompts: SshPrompts | null, configuration = '') {
  const target = { host: peer.host, port: peer.port, user: 'ada', label: 'kvm1', keyFiles: [] };
  const user = join(folder, 'config');
  writeFileSync(user, configuration);
  const routes = new Routes(new SshConfig({ user, system: join(folder, 'none'), home: folder, program: null }));
  const ssh = await connectSsh({ target, knownHosts, secrets, prompts, agent: null, home: folder, routes });
  ssh.close();
  await ssh.ended;
}

async function refusal(prompts: SshPrompts | null, configuration?: string): Promise<SshError> {
  const error: unknown = await login(prompts, configuration).then(
    () => new Error('it logged in'),
    (error: unknown) => error,
  );
  if (!(error instanceof SshError)) throw error;
  return error;
}

const password = (right: string) => (context: AuthContext) => {
  if (context.method === 'password' && context.password === right) context.accept();
  else context.reject(['password']);
};

/** Asks each of the rounds; accepts when every answer was right. */
const keyboard = (...rounds: { prompts: { prompt: string; echo: boolean }[]; right: string[] }[]) => {
  return (context: AuthContext) => {
    if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive']);
    const ask = (n: number) => {
      const round = rounds[n];
      if (!round) return context.accept();
      context.prompt(round.prompts, 'Two steps', 'Have your token ready', (answers) => {
        if (answers.join() === round.right.join()) ask(n + 1);
        else context.reject(['keyboard-interactive']);
      });
    };
    ask(0);
  };
};
const aPassword = { prompts: [{ prompt: 'Password: ', echo: false }], right: ['right'] };

describe('a password', () => {
  it('is asked for by user and host, and sent once', async () => {
    await host(password('right'), ['password']);
    const prompts = person('right');
    await login(prompts);
    expect(prompts.questions).toEqual([
      {
        kind: 'password',
        title: 'ada@kvm1',
        instruction: '',
        prompts: [{ text: 'Password of ada on kvm1', echo: false }],
        again: false,
        keepAs: `password ada@127.0.0.1:${peer.port}`,
      },
    ]);
    expect(peer.attempts).toEqual(['none', 'password right']);
  });

  it('that was wrong is asked for again, saying so', async () => {
    await host(password('right'), ['password']);
    const prompts = person('wrong', 'right');
    await login(prompts);
    expect(prompts.questions.map(({ again }) => again)).toEqual([false, true]);
  });

  it('that was right is not asked for when it connects again', async () => {
    await host(password('right'), ['password']);
    const prompts = person('wrong', 'right');
    await login(prompts);
    await login(prompts);
    await login(null);
    expect(prompts.questions).toHaveLength(2);
  });

  it('that was remembered and is refused now is forgotten, and asked for', async () => {
    let right = 'old';
    await host((context) => password(right)(context), ['password']);
    await login(person('old'));
    right = 'new';
    const prompts = person('new');
    await login(prompts);
    expect(prompts.questions.map(({ again }) => again)).toEqual([true]);
    await login(null);
    expect(peer.attempts.slice(-2)).toEqual(['none', 'password new']);
  });

  it('is asked for three times at most', async () => {
    await host(password('right'), ['password']);
    const prompts = person('a', 'b', 'c', 'd');
    const error = await refusal(prompts);
    expect(error).toMatchObject({ kind: 'auth-failed', phase: 'login' });
    expect(error.message).toContain('kvm1 refused the login as ada: tried password. It takes password.');
    expect(prompts.questions).toHaveLength(3);
  });

  it('that is cancelled ends the login, and nothing was sent', async () => {
    await host(password('right'), ['password']);
    expect(await refusal(person(null))).toMatchObject({ kind: 'cancelled' });
    expect(peer.attempts).toEqual(['none']);
  });

  it('cannot be asked for where there is nobody, and the sentence says so', async () => {
    await host(password('right'), ['password']);
    const error = await refusal(null);
    expect(error.kind).toBe('auth-failed');
    expect(error.message).toContain('there was nothing to try');
    expect(error.message).toContain('There is nobody to ask for a password');
    expect(peer.attempts).toEqual(['none']);
  });

  it('that has expired is told', async () => {
    await host(
      (context) => {
        if (context.method === 'password') context.requestChange('Choose a new one', () => undefined);
      },
      ['password'],
    );
    const error = await refusal(person('old'));
    expect(error.message).toContain('has expired');
  });
});

it('an answer that comes after the host went is of no harm', async () => {
  await host(keyboard(aPassword), ['keyboard-interactive']);
  const asked: ((answers: string[]) => void)[] = [];
  const prompts: SshPrompts = { ask: () => new Promise((resolve) => asked.push(resolve)) };
  const attempt = refusal(prompts);
  await vi.waitFor(() => expect(asked).toHaveLength(1));
  peer.hangUp();
  expect(await attempt).toMatchObject({ kind: 'lost', phase: 'login' });
  asked[0]?.(['right']);
  await new Promise((resolve) => setImmediate(resolve)); // an unhandled error would fail the run
});

describe('keyboard-interactive', () => {
  it('asks what the host asks, round by round', async () => {
    const code = {
      prompts: [
        { prompt: 'Code: ', echo: true },
        { prompt: 'PIN: ', echo: false },
      ],
      right: ['123', '9'],
    };
    await host(keyboard(aPassword, code), ['keyboard-interactive']);
    const prompts = person('right', ['123', '9']);
    await login(prompts);
    expect(prompts.questions[1]).toEqual({
      kind: 'keyboard-interactive',
      title: 'ada@kvm1',
      instruction: 'Two steps: Have your token ready',
      prompts: [
        { text: 'Code:', echo: true },
        { text: 'PIN:', echo: false },
      ],
      again: false,
    });
  });

  it('remembers a password that it asked for', async () => {
    await host(keyboard(aPassword), ['keyboard-interactive']);
    await login(person('right'));
    await login(null);
  });

  it('never gives a one-time code a second time', async () => {
    await host(keyboard({ prompts: [{ prompt: 'Code: ', echo: false }], right: ['123'] }), ['keyboard-interactive']);
    await login(person('123'));
    expect((await refusal(null)).kind).toBe('auth-failed');
    expect(peer.attempts.slice(2)).toEqual(['none']);
  });

  it('comes before the password', async () => {
    await host(keyboard(aPassword), ['password', 'keyboard-interactive', 'publickey']);
    await login(person('right'));
    expect(peer.attempts).toEqual(['none', 'keyboard-interactive']);
  });

  it('cannot bring control characters into a question', async () => {
    const nasty = { prompts: [{ prompt: '\u001b]0;owned\u0007Pass\u202eword: ', echo: false }], right: ['x'] };
    await host(keyboard(nasty), ['keyboard-interactive']);
    const prompts = person('x');
    await login(prompts);
    expect(prompts.questions[0]?.prompts[0]?.text).toBe(']0;owned Pass word:');
  });

  it('with rounds without a prompt, endlessly, ends within the limit', async () => {
    await host(
      (context) => {
        if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive']);
        const again = () => setImmediate(() => context.prompt([], again));
        again();
      },
      ['keyboard-interactive'],
    );
    const target = { host: peer.host, port: peer.port, user: 'ada', label: 'kvm1', keyFiles: [] };
    const attempt = connectSsh({ target, knownHosts, prompts: person(), agent: null, timeouts: { loginMs: 200 } });
    await expect(attempt).rejects.toMatchObject({ kind: 'timeout', phase: 'login' });
  });
});

it.each(['password', 'keyboard-interactive'])(
  'a host that waits for a tap on a phone after the %s is waited for, and others go on',
  async (method) => {
    const tapped = (context: AuthContext) => void setTimeout(() => context.accept(), 900);
    const answer = (context: AuthContext) => {
      if (context.method === 'password') tapped(context);
      else if (context.method === 'keyboard-interactive') context.prompt(aPassword.prompts, () => tapped(context));
      else context.reject([method as 'password']);
    };
    await host(answer, [method]);
    const target = { host: peer.host, port: peer.port, user: 'ada', label: 'kvm1', keyFiles: [] };
    const onWait = vi.fn();
    const ssh = await connectSsh({
      ...{ target, knownHosts, secrets, onWait, prompts: person('right'), agent: null, home: folder },
      timeouts: { loginMs: 600 },
    });
    ssh.close();
    expect(onWait).toHaveBeenCalled();
  },
);

it('a second step after the first was taken is asked for, and is no repetition', async () => {
  await host(
    (context) => {
      if (context.method === 'password' && context.password === 'right') {
        context.reject(['keyboard-interactive'], true);
      } else if (context.method === 'keyboard-interactive') {
        context.prompt([{ prompt: 'Code: ', echo: false }], (answers) =>
          answers[0] === '123' ? context.accept() : context.reject(['keyboard-interactive']),
        );
      } else context.reject(['password']);
    },
    ['password'],
  );
  const prompts = person('right', '123');
  await login(prompts);
  expect(prompts.questions.map(({ again }) => again)).toEqual([false, false]);
});

describe('OpenSSH’s configuration', () => {
  const both = (context: AuthContext) => {
    if (context.method === 'password') context.accept();
    else context.reject(['keyboard-interactive', 'password']);
  };

  it.each(['/dev/null', 'none'])('that keeps keys in %s takes those of a host that is made anew', async (file) => {
    const line = `HostKeyAlias anew\nStrictHostKeyChecking no\nUserKnownHostsFile ${file}`;
    for (const answer of ['right', 'right too']) {
      peer = await sshPeer(both, { methods: ['password'] });
      await login(person(answer), line);
      expect(peer.attempts).toEqual(['none', `password ${answer}`]);
      if (answer === 'right') await peer.stop();
      secrets.clear();
    }
  });

  it('that asks no key of this machine keeps none either, as what answers at a port may be another tomorrow', async () => {
    peer = await sshPeer(both, { methods: ['password'] });
    await login(person('right'), 'NoHostAuthenticationForLocalhost yes\nStrictHostKeyChecking accept-new');
    expect(await knownHosts.lookup(peer.host, peer.port, peer.key)).toBe('unknown');
  });

  it.each(['PreferredAuthentications password,keyboard-interactive', 'KbdInteractiveAuthentication no'])(
    'with “%s” begins with the password',
    async (line) => {
      await host(both, ['keyboard-interactive', 'password']);
      await login(person('right'), line);
      expect(peer.attempts).toEqual(['none', 'password right']);
    },
  );

  it.each([
    'PreferredAuthentications publickey',
    'PasswordAuthentication no\nChallengeResponseAuthentication no',
    'PasswordAuthentication no\nPreferredAuthentications password',
  ])('with %j asks nothing, and the sentence says why', async (line) => {
    await host(both, ['keyboard-interactive', 'password']);
    const prompts = person('right');
    const { message } = await refusal(prompts, line);
    expect(prompts.questions).toEqual([]);
    expect(message).toContain('OpenSSH’s configuration leaves out keyboard-interactive and password');
  });
});

it('methods that are not known are listed, and not tried', async () => {
  await host((context) => context.reject(), ['gssapi-with-mic', 'hostbased']);
  const error = await refusal(person('x'));
  expect(error.message).toContain('It takes gssapi-with-mic and hostbased.');
  expect(peer.attempts).toEqual(['none']);
});
