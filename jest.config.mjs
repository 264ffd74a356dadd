/** @type {import('jest').Config} */
export default {
  roots: ['<rootDir>/packages', '<rootDir>/examples'],
  testMatch: ['**/test/**/*.test.ts'],
  testEnvironment: 'node',
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
