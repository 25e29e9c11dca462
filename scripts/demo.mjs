// The guided tour from a checkout; scripts/with-setup.mjs has seen to dependencies, Node and the build.
import { fileURLToPath } from 'node:url';

process.argv.splice(2, 0, 'demo', '--no-pager');
process.argv[1] = fileURLToPath(new URL('../bin/run.js', import.meta.url));
await import('../bin/run.js');
