// Many scenarios on simulated hosts, a few at a time.
import type { Told } from './lab.ts';
import { play } from './play.ts';
import { inWords, scenarioOf } from './scenario.ts';

const atOnce = 6;

export async function onSimulator({
  count,
  seed,
  only,
  say,
}: {
  count: number;
  seed: number;
  /** The scenario of that number alone. */
  only: number | null;
  say: (line: string) => void;
}): Promise<Told> {
  say(`seed ${seed}`);
  const numbers = only === null ? Array.from({ length: count }, (_, at) => at) : [only];
  const outcomes = new Map<string, number>();
  let failed = 0;
  const worker = async () => {
    for (let number = numbers.shift(); number !== undefined; number = numbers.shift()) {
      const scenario = scenarioOf(seed, number);
      const { outcome, broken, view } = await play(scenario).catch((error: unknown) => ({
        outcome: 'failed',
        broken: [String((error as Error).stack ?? error)],
        view: null,
      }));
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      if (only !== null) say(`${inWords(scenario)}\n${JSON.stringify(view, null, 2)}`);
      if (broken.length === 0) continue;
      failed += 1;
      say(`--seed ${seed} --only ${number}: ${inWords(scenario)}\n  ${broken.join('\n  ')}`);
    }
  };
  await Promise.all(Array.from({ length: only === null ? atOnce : 1 }, worker));
  const counts = [...outcomes].sort(([a], [b]) => a.localeCompare(b)).map(([outcome, times]) => `${outcome} ${times}`);
  return { text: `${counts.join(', ')}; rules broken in ${failed}`, failed };
}
