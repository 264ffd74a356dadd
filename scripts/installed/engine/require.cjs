const assert = require('node:assert/strict');

const required = require('@upwire/engine');

assert.equal(typeof required, 'object');
