// `npm run bench [-- NAME]`: runs a bench, or tells which there are.
const benches = [];

const [name] = process.argv.slice(2);
const known = benches.length > 0 ? `There are: ${benches.join(', ')}.` : 'There are none yet.';
if (name) {
  console.error(`There is no bench “${name}”. ${known}`);
  process.exitCode = 2;
} else {
  console.log(`Benches: npm run bench -- NAME. ${known}`);
}
