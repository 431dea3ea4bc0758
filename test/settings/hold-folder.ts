// A Drover that has the folder named to it, until it is killed.
import { lock } from '../../src-main/settings/data-dir.ts';

await lock(process.argv[2]!);
process.stdin.resume();
console.log('held');
