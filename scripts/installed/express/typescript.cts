import required = require('@upwire/express');

const loaded: unknown = required;
if (loaded === undefined) throw new Error('nothing is exported');
