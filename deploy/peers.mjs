// Prints the optional peers of package.json as npm install takes them: node deploy/peers.mjs package.json
import { readFileSync } from 'node:fs';

const { peerDependencies } = JSON.parse(readFileSync(process.argv[2] ?? 'package.json', 'utf8'));
console.log(
  Object.entries(peerDependencies)
    .map(([name, range]) => `${name}@${range}`)
    .join(' '),
);
