// jest's transformer for TypeScript: swc, and the counters before it where jest wants to know what runs.
const { createHash } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { createTransformer } = require('@swc/jest');
const { instrument } = require('./instrument.cjs');

const own = [__filename, require.resolve('./instrument.cjs')].map((file) => readFileSync(file));

exports.createTransformer = (options) => {
  const swc = createTransformer(options);
  return {
    canInstrument: true,
    process(source, filename, request) {
      const { code } = request.instrument ? instrument(source, filename) : { code: source };
      return swc.process(code, filename, request);
    },
    getCacheKey(source, filename, request) {
      const hash = createHash('sha256').update(swc.getCacheKey(source, filename, request));
      for (const text of own) hash.update(text);
      return hash.update(String(request.instrument)).digest('hex');
    },
  };
};
