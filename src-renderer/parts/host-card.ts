// The measures of a host card: known before it is drawn, because a card that is not in sight is not drawn at all.

/** A migration that a host takes part in. */
export interface HostJob {
  id: string;
  /** E.g. `web01 → kvm3`. */
  text: string;
  percent: number;
}

/** More VMs than this stand behind “Show more”. */
export const mostTiles = 12;
export const mostJobs = 3;

const padding = 24;
const border = 2;
const tileMin = 140;
const tileHeight = 44;
const gap = 6;

/** In pixels. */
export function hostCardHeight(width: number, card: { tiles: number; jobs: number; more: boolean }): number {
  const columns = Math.max(1, Math.floor((width - padding - border + gap) / (tileMin + gap)));
  const rows = Math.ceil(card.tiles / columns);
  const tiles = rows === 0 ? 0 : 4 + rows * tileHeight + (rows - 1) * gap;
  return border + 44 + 74 + card.jobs * 22 + tiles + (card.more ? 28 : 0) + 10;
}
