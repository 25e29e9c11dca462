// Brings the build up to date, and what the tests need, once: before any test that needs them.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { here } from './here.ts';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const env = { ...process.env, NODE_OPTIONS: '' };

let ready = false;

export default function setup() {
  if (ready) return;
  const built = spawnSync(process.execPath, [path('../../scripts/with-setup.mjs'), 'build'], {
    stdio: ['ignore', 2, 2],
    env,
  });
  if (built.status !== 0) throw new Error('the build failed; it says above why');
  here();
  ready = true;
}
