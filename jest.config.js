const shared = {
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/test/support/esbuild-transform.cjs' },
  testEnvironment: 'node',
};

/** Unit tests need neither a build nor a server; the others find both ready. */
const ready = {
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  setupFilesAfterEnv: ['<rootDir>/test/support/once-more.mjs'],
};

export default {
  randomize: true,
  projects: ['unit', 'server', 'cli', 'scenarios'].map((name) => ({
    ...shared,
    ...(name === 'unit' ? {} : ready),
    displayName: name,
    testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
  })),
};
