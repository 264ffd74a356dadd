import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import * as imported from '@upwire/express';

const required = createRequire(import.meta.url)('@upwire/express');

assert.equal(typeof imported, 'object');
assert.equal(typeof required, 'object');
