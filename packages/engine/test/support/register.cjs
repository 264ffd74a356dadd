// Lets a program of its own, started by a test, run on the TypeScript sources: `node --require <this file> program.ts`.
const { readFileSync } = require('node:fs');
const Module = require('node:module');
const { resolve } = require('node:path');
const { transformSync } = require('@swc/core');

const packages = resolve(__dirname, '../../..');

/** With UPWIRE_COUNT the sources count in `__coverage__` what runs of them. */
const counts = process.env.UPWIRE_COUNT !== undefined;

function read(filename) {
  const source = readFileSync(filename, 'utf8');
  if (!counts || !filename.startsWith(resolve(packages, 'engine/src'))) return source;
  return require('../../../../scripts/coverage/instrument.cjs').instrument(source, filename).code;
}

Module._extensions['.ts'] = (module, filename) => {
  const { code } = transformSync(read(filename), {
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
