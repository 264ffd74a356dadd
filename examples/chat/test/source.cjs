// Lets a plain `node` run the example on the packages' sources: `node --require ./source.cjs`.
// So what is tested is never an old build.
const { readFileSync } = require('node:fs');
const Module = require('node:module');
const { join } = require('node:path');
const { transformSync } = require('@swc/core');

const packages = join(__dirname, '../../../packages');
const resolve = Module._resolveFilename;

Module._resolveFilename = (name, ...rest) => {
  const [, folder, entry = 'index'] = /^@upwire\/([^/]+)(?:\/(internal))?$/.exec(name) ?? [];
  return folder ? join(packages, folder, 'src', `${entry}.ts`) : resolve(name, ...rest);
};

Module._extensions['.ts'] = (module, filename) => {
  const { code } = transformSync(readFileSync(filename, 'utf8'), {
    filename,
    swcrc: false,
    jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
    module: { type: 'commonjs' },
    sourceMaps: 'inline',
  });
  module._compile(code, filename);
};
