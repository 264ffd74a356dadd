import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import * as imported from '@upwire/engine';

const required = createRequire(import.meta.url)('@upwire/engine');

assert.equal(typeof imported, 'object');
assert.equal(typeof required, 'object');
