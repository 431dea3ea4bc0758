// Chaos on the lab of `DROVER_LAB`, round by round, and the page that tells of it.
import { execFileSync } from 'node:child_process';
import { blows, chance, Chaos, type Round, table } from '../lab/chaos.ts';
import { Lab } from '../lab/lab.ts';

export interface Told {
  text: string;
  failed: number;
}

export async function onLab({
  count,
  seed,
  say,
  soFar = () => {},
}: {
  count: number;
  seed: number;
  say: (line: string) => void;
  /** Told after each round: whoever stops it halfway has what was seen. */
  soFar?: (text: string) => void;
}): Promise<Told> {
  const lab = await Lab.open();
  const random = chance(seed ^ 0x5eed);
  const rounds: Round[] = [];
  say(`seed ${seed}`);
  let chaos = await Chaos.start(lab);
  try {
    for (const [at, blow] of blows(count, seed).entries()) {
      const what = `${String(at + 1).padStart(3)}  ${blow.victim}, ${blow.phase} + ${Math.round(blow.delayMs)} ms`;
      try {
        const round = await chaos.round(blow, random);
        rounds.push(round);
        const { from, to, struck, outcome, state, seconds, wrong } = round;
        say(
          `${what}: struck in ${struck}, ${from} → ${to}: ${outcome} (${state}), ${seconds} s${wrong.map((one) => `; ${one}`).join('')}`,
        );
      } catch (error) {
        const said = error instanceof Error ? error.message : String(error);
        say(`${what}: the round itself failed: ${said}`);
        const round = { ...blow, from: '?', to: '?', struck: blow.phase, outcome: 'WRONG' as const };
        rounds.push({ ...round, wrong: [said], state: 'failed', seconds: 0 });
      }
      soFar(page(rounds, count, seed));
      if (rounds.at(-1)?.outcome !== 'WRONG') continue;
      // What comes next is not to suffer from it.
      await chaos.end().catch(() => {});
      await lab.reset();
      chaos = await Chaos.start(lab);
    }
  } finally {
    await chaos.end();
  }
  return { text: page(rounds, count, seed), failed: rounds.filter(({ outcome }) => outcome === 'WRONG').length };
}

function page(rounds: readonly Round[], count: number, seed: number): string {
  const version = (program: string) =>
    /\d+\.\d+\.\d+/.exec(execFileSync(program, ['--version'], { encoding: 'utf8' }))?.[0] ?? '?';
  const of = (outcome: Round['outcome']) => rounds.filter((round) => round.outcome === outcome).length;
  const wrong = rounds.filter(({ outcome }) => outcome === 'WRONG');
  const lines = wrong.map(
    ({ victim, struck, from, to, wrong: what }) => `- ${victim}, in ${struck}, ${from} → ${to}: ${what.join('; ')}`,
  );
  return `# Chaos on real hosts

Written by \`npm run chaos -- --lab ${count} --seed ${seed} --table docs/chaos.md\` on three hosts of one machine (libvirt
${version('libvirtd')}, QEMU ${version('qemu-system-x86_64')}, no KVM); one of the two is always the one whose QEMU and login are not root. In each round a guest
that dirties 96 MiB of memory as fast as it can migrates live, managed by Drover, and in the phase that heads the column
something is killed by SIGKILL, or its cable is pulled. It comes back after 0.2 to 5 s. Then \`virsh\` on all hosts says
where the VM is and where it is defined, and the ticks of the guest, each of which has to follow the one before, say
whether it ever ran twice or was started anew.

${rounds.length} rounds: moved ${of('moved')}, stayed ${of('stayed')}, killed ${of('killed')}, attention ${of('attention')}, **wrong ${of('WRONG')}**.

${table(rounds)}

*moved*, *stayed*: it runs on, on the target or the source alone, and is defined nowhere else. *killed*: the only QEMU
that had it was the one that was killed. *attention*: Drover waits for a person. *before* and *after*: the blow fell
before the first step, or when the migration had ended.
${lines.length > 0 ? `\nWhat was wrong:\n\n${lines.join('\n')}\n` : ''}`;
}
