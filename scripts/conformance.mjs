// `npm run conformance`: writes docs/conformance.md from the table in packages/engine/test/conformance.
import './node-version.mjs';
import { join } from 'node:path';
import { root, run } from './run.mjs';

const tests = join(root, 'packages/engine/test');
const program = join(tests, 'conformance/write-document.ts');
const args = ['--require', join(tests, 'support/register.cjs'), program];
process.exitCode = (await run(process.execPath, args, { stream: true })).code;
