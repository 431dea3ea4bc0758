// While a migration needs Drover, the computer does not fall asleep for want of a hand on it; its screen may.
import { powerSaveBlocker } from 'electron';

export class Awake {
  #blocker: number | null = null;

  set needed(needed: boolean) {
    if (needed === (this.#blocker !== null)) return;
    if (this.#blocker === null) this.#blocker = powerSaveBlocker.start('prevent-app-suspension');
    else {
      powerSaveBlocker.stop(this.#blocker);
      this.#blocker = null;
    }
  }
}
