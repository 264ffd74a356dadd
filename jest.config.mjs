/** @type {import('jest').Config} */
export default {
  roots: ['<rootDir>/packages', '<rootDir>/examples'],
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
        jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  coverageProvider: 'v8',
  collectCoverageFrom: ['packages/*/src/**/*.ts', '!**/*.d.ts'],
  coverageDirectory: '<rootDir>/coverage',
  coverageReporters: ['text-summary', 'html', 'lcovonly'],
};
