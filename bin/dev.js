#!/usr/bin/env node
// For work on osapi-ops itself: brings the build up to date, then runs it.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const setup = fileURLToPath(new URL('../scripts/with-setup.mjs', import.meta.url));
const built = spawnSync(process.execPath, [setup, 'build'], { stdio: ['ignore', 2, 2] });
if (built.status === 0) await import('./run.js');
else process.exitCode = built.status || 1;
