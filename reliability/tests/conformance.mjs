// The long form of the table of RFC 6455 and RFC 7692, which is a suite of its own.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, runCommand } from '../../scripts/run.mjs';
import { outcome } from './outcome.mjs';

const folder = 'packages/engine/test/conformance';

async function conformance() {
  const reports = mkdtempSync(join(tmpdir(), 'upwire-conformance-'));
  const report = join(reports, 'report.json');
  try {
    const args = [folder, '--json', '--outputFile', report, '--testTimeout', '600000'];
    await runCommand('jest', 'jest', args, { env: { UPWIRE_LONG: '1' } });
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8'));
    return outcome(
      numFailedTests === 0 && numPassedTests > 0,
      `${numPassedTests} passed, ${numFailedTests} failed`,
    );
  } finally {
    rmSync(reports, { recursive: true });
  }
}

export const tests = [
  {
    id: 'F1',
    title: 'the conformance table in its long form',
    pass: 'no case fails',
    long: true,
    only: ({ id }) => id === 'upwire',
    missing: () => (existsSync(join(root, folder)) ? undefined : `there is no ${folder}`),
    run: conformance,
  },
];
