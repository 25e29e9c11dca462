// The arrows of docs/architecture.md, held to the code: which room may import which, and which files may act.
import { globSync, readFileSync } from 'node:fs';
import { findBreaches, findStale } from './arrows/breaches.ts';

const sources = globSync('src/**/*.{ts,tsx}')
  .map((file) => file.replaceAll('\\', '/'))
  .sort()
  .map((file) => ({ file, text: readFileSync(file, 'utf8') }));
const breaches = [
  ...findBreaches(sources, { whole: true }),
  ...findStale(readFileSync('docs/architecture.md', 'utf8')),
];
for (const breach of breaches) console.error(breach);
process.exit(breaches.length > 0 ? 1 : 0);
