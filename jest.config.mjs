/** Packages that are ES modules alone, which jest cannot require. */
const esModules = '(arktype|arkregex|@ark|cookie|jose)/';

const toCommonJS = { module: { type: 'commonjs' }, sourceMaps: 'inline' };

/** @type {import('jest').Config} */
export default {
  roots: ['<rootDir>/packages', '<rootDir>/examples', '<rootDir>/bench'],
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
      '@swc/jest',
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
  coverageProvider: 'v8',
  collectCoverageFrom: [
    'packages/*/src/**/*.ts',
    // Tests themselves.
    '!packages/adapter-contract/**',
    '!**/*.d.ts',
  ],
  coverageDirectory: '<rootDir>/coverage',
  coverageReporters: ['text-summary', 'html', 'lcovonly'],
};
