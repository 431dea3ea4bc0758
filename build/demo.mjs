// `npm run demo`: will show a simulated fleet.
console.error('The simulated fleet is not there yet. “npm run lab” opens Drover on three real hosts on this machine.');
process.exitCode = 1;
