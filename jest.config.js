const shared = {
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/test/support/esbuild-transform.cjs' },
  testEnvironment: 'node',
  randomize: true,
};

export default {
  randomize: true,
  projects: ['unit', 'server', 'cli', 'scenarios'].map((name) => ({
    ...shared,
    displayName: name,
    testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
  })),
};
