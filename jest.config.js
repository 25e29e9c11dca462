import { availableParallelism } from 'node:os';

const shared = {
  transform: {},
  testEnvironment: '<rootDir>/test/support/node-environment.cjs',
  runtime: '<rootDir>/test/support/node-runtime.cjs',
};

/** Unit tests need neither a build nor a server; the others find both ready. */
const ready = {
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  setupFilesAfterEnv: ['<rootDir>/test/support/once-more.mjs'],
};

export default {
  randomize: true,
  testSequencer: '<rootDir>/test/support/longest-first.mjs',
  reporters: ['default', '<rootDir>/test/support/closing-lines.ts'],
  // Tests on real servers wait more than they work: with two workers a core, a third of two cores had nothing to do.
  // With four it was no quicker, and clusters had no leader for 20 s. Unit tests only work: `npm run test:unit` asks for one
  // a core.
  maxWorkers: 3 * availableParallelism(),
  // Of the tests of a file that are told at once: they wait more than they work, but their own clocks are not to go wrong.
  maxConcurrency: 3,
  // A bound for a test that hangs, not for a machine that is busy; a test that needs more says so.
  testTimeout: 180_000,
  // A worker that has nothing left to do holds nothing but its pipes to jest; on a busy machine the way out alone takes it
  // longer than the half second after which jest calls it a leak.
  workerGracefulExitTimeout: 10_000,
  projects: ['unit', 'server', 'cli', 'scenarios', 'browser'].map((name) => ({
    ...shared,
    ...(name === 'unit' ? {} : ready),
    displayName: name,
    testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
  })),
};
