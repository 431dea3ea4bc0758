// Drover's own version and where its code is, as package.json has them.
import about from '../package.json' with { type: 'json' };

export const version: string = about.version;
export const repository: string = about.homepage;
