import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { testPrograms } from '../../engine/test/programs';

const underCi = process.env.CI !== undefined && !['', '0', 'false'].includes(process.env.CI);
const hasNginx = spawnSync('nginx', ['-v']).error === undefined;

// As with the browser: skipped where it is missing, and a failure by name under CI.
testPrograms(join(__dirname, '..'), (name) => name !== 'nginx.js' || hasNginx || underCi);
