// What stands for something else in OpenSSH's configuration: %h, ~ and ${NAME}.
import { createHash } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';

export interface TokenValues {
  /** Where the connection goes, `HostName` counted in. */
  host: string;
  /** As it was asked for. */
  asked: string;
  port: number;
  user: string;
  home: string;
  /** `HostKeyAlias`; null: the name asked for. */
  alias: string | null;
  /** `ProxyJump` as it stands there; '' where there is none. */
  jump: string;
}

/** @throws RangeError for a token that is not known, as ssh does */
export function expandTokens(text: string, values: TokenValues): string {
  return text.replace(/%(.?)/g, (_, token: string) => valueOf(token, values));
}

/** A path: tokens, environment variables, and `~` at its start. @throws RangeError */
export function expandPath(path: string, values: TokenValues, env: NodeJS.ProcessEnv = process.env): string {
  const tokens = expandTokens(path, values).replace(/\$\{(\w+)\}/g, (_, name: string) => {
    const value = env[name];
    if (value === undefined) throw new RangeError(`the environment has no ${name}`);
    return value;
  });
  return tokens === '~' || tokens.startsWith('~/') ? join(values.home, tokens.slice(1)) : tokens;
}

function valueOf(token: string, { host, asked, port, user, home, alias, jump }: TokenValues): string {
  switch (token) {
    case '%':
      return '%';
    case 'h':
      return host;
    case 'n':
      return asked;
    case 'p':
      return String(port);
    case 'r':
      return user;
    case 'd':
      return home;
    case 'k':
      return alias ?? asked;
    case 'j':
      return jump;
    case 'u':
      return userInfo().username;
    case 'i':
      return String(userInfo().uid);
    case 'l':
      return hostname();
    case 'L':
      return hostname().split('.')[0] ?? '';
    case 'C':
      return createHash('sha1').update(`${hostname()}${host}${port}${user}`).digest('hex');
    default:
      throw new RangeError(`%${token} is not known`);
  }
}
