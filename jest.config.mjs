/** Packages that are ES modules alone, which jest cannot require. */
const esModules = '(arktype|arkregex|@ark|cookie|jose)/';

const toCommonJS = { module: { type: 'commonjs' }, sourceMaps: 'inline' };

/** @type {import('jest').Config} */
export default {
  roots: ['<rootDir>/packages', '<rootDir>/examples', '<rootDir>/bench', '<rootDir>/reliability'],
  testMatch: ['**/test/**/*.test.ts'],
  testEnvironment: 'node',
  // Tests that start processes or a browser are slow on a busy machine, and slow is not wrong.
  testTimeout: 30_000,
  // Most tests wait for sockets and timers: as many at once as there are cores, not one less.
  maxWorkers: '100%',
  modulePathIgnorePatterns: ['/dist/'],
  // A package's tests run on the SOURCE of its siblings, so that no build stands between an edit and its test.
  moduleNameMapper: {
    '^@upwire/([^/]+)$': '<rootDir>/packages/$1/src/index.ts',
    '^@upwire/([^/]+)/internal$': '<rootDir>/packages/$1/src/internal.ts',
  },
  transform: {
    '^.+\\.ts$': [
      '<rootDir>/scripts/coverage/transform.cjs',
      {
        ...toCommonJS,
        jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
      },
    ],
    [`/node_modules/${esModules}.+\\.js$`]: [
      '@swc/jest',
      { ...toCommonJS, jsc: { target: 'es2023' } },
    ],
  },
  transformIgnorePatterns: [`/node_modules/(?!(.+/node_modules/)?${esModules})`],
  // V8's own counters made the tests of the engine take 2.5 times as long; these add a quarter.
  coverageProvider: 'babel',
  collectCoverageFrom: [
    'packages/*/src/**/*.ts',
    // Tests themselves.
    '!packages/adapter-contract/**',
    '!**/*.d.ts',
  ],
  coverageDirectory: '<rootDir>/coverage',
  coverageReporters: ['text'],
  reporters: ['default', '<rootDir>/scripts/coverage/own-tests.mjs'],
};
