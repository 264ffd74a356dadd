const assert = require('node:assert/strict');

const required = require('@upwire/express');

assert.equal(typeof required, 'object');
