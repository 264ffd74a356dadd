// Lets a program of its own, started by a test, run on the TypeScript sources: `node --require <this file> program.ts`.
const { readFileSync } = require('node:fs');
const Module = require('node:module');
const { resolve } = require('node:path');
const { transformSync } = require('@swc/core');

const packages = resolve(__dirname, '../../..');

Module._extensions['.ts'] = (module, filename) => {
  const { code } = transformSync(readFileSync(filename, 'utf8'), {
    filename,
    jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
    module: { type: 'commonjs' },
    sourceMaps: 'inline',
  });
  module._compile(code, filename);
};

const resolveFilename = Module._resolveFilename;
Module._resolveFilename = (request, ...rest) => {
  const [, name, entry = 'index'] = /^@upwire\/([^/]+)(?:\/([^/]+))?$/.exec(request) ?? [];
  if (name === undefined) return resolveFilename(request, ...rest);
  return resolve(packages, name, 'src', `${entry}.ts`);
};
