// A migration that ended in an earlier run: it can be looked at, and nothing else.
import { Failure } from '../../contract/failure.ts';
import type { MigrationView } from '../../contract/model.ts';

export class Receipt {
  readonly #view: MigrationView;

  constructor(view: MigrationView) {
    this.#view = view;
  }

  view(): MigrationView {
    return this.#view;
  }

  /** @throws Failure `conflict`, always */
  cancel(): Promise<void> {
    return this.#over();
  }

  /** @throws Failure `conflict`, always */
  update(): Promise<void> {
    return this.#over();
  }

  /** @throws Failure `conflict`, always */
  postCopy(): Promise<void> {
    return this.#over();
  }

  /** @throws Failure `not-found`, always */
  resolve(action: string): Promise<void> {
    const { name } = this.#view;
    return Promise.reject(new Failure('not-found', `The migration of ${name} offers no action “${action}” now.`));
  }

  #over(): Promise<never> {
    const { name, state } = this.#view;
    return Promise.reject(new Failure('conflict', `The migration of ${name} has ended already (${state}).`));
  }
}
