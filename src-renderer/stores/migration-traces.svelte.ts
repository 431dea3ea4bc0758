// How migrations went on so far: a few samples of each, for its plot.
import type { Link } from '../../contract/link.ts';
import type { MigrationId, MigrationView } from '../../contract/model.ts';
import { follow, notFollowed, type CourseSample, type Followed } from '../words/convergence.ts';

/** When there are more, every second one goes. */
const most = 240;
/** Migrations whose trace is kept. */
const kept = 64;

export class MigrationTrace {
  samples: readonly CourseSample[] = $state.raw([]);
  /** What its course is judged by. */
  followed: Followed = $state.raw(notFollowed);
  #everyMs = 0;

  take({ progress, phase }: MigrationView): void {
    // Before libvirt has counted, all figures are zero.
    if ((phase !== 'perform' && phase !== 'copy') || progress.dataTotalBytes === 0) return;
    const sample: CourseSample = {
      elapsedMs: progress.elapsedMs,
      remainingBytes: progress.dataRemainingBytes,
      memoryBps: progress.memoryBps,
      dirtyBps: progress.dirtyRateBps,
      iteration: progress.iteration,
    };
    if (sample.elapsedMs <= (this.followed.last?.elapsedMs ?? -1)) return;
    if (phase === 'perform') this.followed = follow(this.followed, sample);
    const last = this.samples.at(-1);
    if (last && sample.elapsedMs < last.elapsedMs + Math.max(1, this.#everyMs)) return;
    let samples = [...this.samples, sample];
    if (samples.length > most) {
      samples = samples.filter((_, at) => at % 2 === 0);
      // From here on as far apart as those that are left.
      this.#everyMs = ((samples.at(-1)?.elapsedMs ?? 0) - (samples[0]?.elapsedMs ?? 0)) / samples.length;
    }
    this.samples = samples;
  }
}

export class MigrationTraces {
  /** Plain: a trace is made when it is first asked for. */
  readonly #traces = new Map<MigrationId, MigrationTrace>();
  readonly #undo: () => void;

  constructor(link: Link) {
    this.#undo = link.on('deltas', ({ deltas }) => {
      for (const delta of deltas) {
        if (delta.event !== 'migration') continue;
        if ('removed' in delta.data) this.#traces.delete(delta.data.id);
        else this.of(delta.data.id).take(delta.data);
      }
    });
  }

  of(id: MigrationId): MigrationTrace {
    let trace = this.#traces.get(id);
    if (!trace) {
      trace = new MigrationTrace();
      this.#traces.set(id, trace);
      const [oldest] = this.#traces.keys();
      if (this.#traces.size > kept && oldest !== undefined) this.#traces.delete(oldest);
    }
    return trace;
  }

  dispose(): void {
    this.#undo();
  }
}
