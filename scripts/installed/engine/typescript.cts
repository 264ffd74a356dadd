import required = require('@upwire/engine');

const loaded: unknown = required;
if (loaded === undefined) throw new Error('nothing is exported');
