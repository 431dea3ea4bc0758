// Drover's own version and where it is published, as package.json has them.
import about from '../package.json' with { type: 'json' };

export const version: string = about.version;
/** Null for one that nobody has published: a release is given its `homepage` where it is built. */
export const repository = (about as { homepage?: string }).homepage ?? null;
