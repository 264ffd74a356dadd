// Counts what runs of a TypeScript source, before its types are taken off. Behind the compiler, the getters that it makes
// of exports would count as code, and branches would lie where nobody has written any.
const { createInstrumenter } = require('istanbul-lib-instrument');

/** Syntax of the sources; Babel wants to be told. */
const parserPlugins = ['typescript', 'classProperties', 'importMeta', 'topLevelAwait'];

/**
 * @returns {{ code: string, coverage: object }} TypeScript that counts, its source map inline, and the counters at 0
 */
exports.instrument = (source, filename) => {
  const instrumenter = createInstrumenter({
    esModules: true,
    parserPlugins,
    produceSourceMap: true,
    coverageVariable: '__coverage__',
  });
  const code = instrumenter.instrumentSync(source, filename);
  const map = Buffer.from(JSON.stringify(instrumenter.lastSourceMap())).toString('base64');
  return {
    code: `${code}\n//# sourceMappingURL=data:application/json;base64,${map}\n`,
    coverage: instrumenter.lastFileCoverage(),
  };
};
