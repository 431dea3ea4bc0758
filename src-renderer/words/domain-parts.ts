// A VM as a row, as a tile and in lists; its tags; and the folders of the tree.
import { actionsFor } from './common.ts';

/** What a VM's small figures are, for who cannot see them. */
export const domainFigures = {
  migration: (name: string) => `Migration of ${name}`,
  cpu: (name: string) => `CPU of ${name}`,
  cpuLately: (name: string) => `CPU of ${name} lately`,
};

export const domainRow = {
  select: (name: string) => `Select ${name}`,
  migrating: 'Migrating',
};

export const tagChips = {
  find: (tag: string) => `Find what is tagged ${tag}`,
  give: (tag: string) => `Give ${tag} to all`,
  take: (tag: string) => `Take ${tag} away`,
};

export const treeFolder = {
  open: (name: string) => `Open ${name}`,
  close: (name: string) => `Close ${name}`,
  actions: actionsFor,
};

export const vmList = {
  label: 'VMs',
};
