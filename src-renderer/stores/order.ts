// Names in the order in which people count: web2 before web10.
const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

export const byName = (a: string, b: string): number => collator.compare(a, b);
