// The small shell on a guest's serial console: echoes, answers, and can say a lot.

export interface ShellOptions {
  hostname: string;
  upMs: () => number;
  memoryKiB: number;
  vcpus: number;
  load: () => number;
  say: (text: string) => void;
  left: (how: 'poweroff' | 'reboot') => void;
}

/** Lines of one `flood`. */
const FLOOD = 2_000;

export class Shell {
  /** What was typed, and not ended. */
  line = '';
  readonly #options: ShellOptions;

  constructor(options: ShellOptions) {
    this.#options = options;
  }

  get #prompt(): string {
    return `root@${this.#options.hostname}:~# `;
  }

  type(typed: string): void {
    const { say } = this.#options;
    for (const sign of typed) {
      if (sign === '\r' || sign === '\n') {
        say('\r\n');
        const line = this.line;
        this.line = '';
        this.#run(line.trim());
      } else if (sign === '\x7f' || sign === '\b') {
        if (this.line) say('\b \b');
        this.line = this.line.slice(0, -1);
      } else if (sign === '\x03') {
        this.line = '';
        say(`^C\r\n${this.#prompt}`);
      } else if (sign >= ' ') {
        this.line += sign;
        say(sign);
      }
    }
  }

  #run(line: string): void {
    const { say, left, hostname, upMs, memoryKiB, vcpus, load } = this.#options;
    const [command = '', ...words] = line.split(/\s+/);
    const says = (...lines: string[]) => say(lines.map((each) => `${each}\r\n`).join(''));
    switch (command) {
      case '':
        break;
      case 'help':
        says('echo, hostname, whoami, uname, uptime, free, nproc, date, ls, flood, reboot, poweroff');
        break;
      case 'echo':
        says(words.join(' ').replace(/^(["'])(.*)\1$/, '$2'));
        break;
      case 'hostname':
        says(hostname);
        break;
      case 'whoami':
        says('root');
        break;
      case 'uname':
        says(words.includes('-a') ? `Linux ${hostname} 6.1.0-sim #1 SMP x86_64 GNU/Linux` : 'Linux');
        break;
      case 'uptime': {
        const minutes = Math.floor(upMs() / 60_000);
        const up = `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}`;
        says(` up ${up},  1 user,  load average: ${load().toFixed(2)}`);
        break;
      }
      case 'free':
        says('               total        used        free', `Mem:    ${String(memoryKiB).padStart(12)}`);
        break;
      case 'nproc':
        says(String(vcpus));
        break;
      case 'date':
        says(new Date().toUTCString());
        break;
      case 'ls':
        says('README  notes.txt');
        break;
      case 'flood':
        for (let at = 1; at <= (Number(words[0]) || FLOOD); at++) says(`${at} ${'='.repeat(60)}`);
        break;
      case 'reboot':
      case 'poweroff':
        left(command);
        return;
      default:
        says(`sh: ${command}: not found`);
    }
    say(this.#prompt);
  }
}
