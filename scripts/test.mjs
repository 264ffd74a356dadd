// `npm test`: sets up, then runs every check there is and ends with the line `N passed, N failed`.
// `npm test -- <arguments>` sets up and hands the arguments to jest, and runs nothing else.
import './node-version.mjs';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { checkDependencies } from './dependencies.mjs';
import { checkByFuzzing } from './fuzz.mjs';
import { checkLockFile } from './lock.mjs';
import { checkPackages } from './packages.mjs';
import { root, runCommand } from './run.mjs';
import { setupOrExplain } from './setup.mjs';
import { mustPass, StepError, step, Tally } from './steps.mjs';

/** The longest that all tests together may take, in milliseconds; a hanging test ends there. */
const jestLimit = 40 * 60_000;

/** How long inputs are made up for, in seconds; `npm run fuzz` has all the time in the world. */
const fuzzing = 12;

const underCi = process.env.CI !== undefined && !['', '0', 'false'].includes(process.env.CI);

/** The skipped tests of one file: the file alone if all of it is skipped, else test by test. */
function skippedIn({ name, assertionResults }) {
  const file = relative(root, name);
  const skipped = assertionResults.filter(({ status }) => ['pending', 'todo'].includes(status));
  if (skipped.length === 0) return [];
  if (skipped.length === assertionResults.length) {
    const suites = new Set(skipped.map((test) => test.ancestorTitles[0] ?? test.title));
    return [`${file}: ${[...suites].join(', ')}`];
  }
  return skipped.map(({ fullName }) => `${file}: ${fullName}`);
}

/** Adds jest's own counts to the tally; a file that could not run counts as one failure. */
function countTests(report, tally) {
  tally.passed += report.numPassedTests;
  tally.failed += report.numFailedTests;
  for (const file of report.testResults) {
    tally.skipped.push(...skippedIn(file));
    const failed = file.assertionResults.filter(({ status }) => status === 'failed');
    tally.failures.push(...failed.map(({ fullName }) => fullName));
    if (file.status === 'failed' && failed.length === 0) {
      tally.failed++;
      tally.failures.push(`${relative(root, file.name)} could not run`);
    }
  }
}

async function runJest(tally, coverage) {
  const folder = mkdtempSync(join(tmpdir(), 'upwire-jest-'));
  const reportFile = join(folder, 'report.json');
  const args = [
    '--json',
    '--outputFile',
    reportFile,
    ...coverage.COVERAGE,
    ...(underCi ? ['--ci'] : []),
  ];
  try {
    const { code, output } = await runCommand('jest', 'jest', args, {
      stream: true,
      limit: jestLimit,
    });
    if (!existsSync(reportFile)) {
      throw new StepError(`jest ended with code ${code} and no report${output}`);
    }
    const failedBefore = tally.failed;
    countTests(JSON.parse(readFileSync(reportFile, 'utf8')), tally);
    // Whatever else jest calls a failure (no test found, a threshold) must not be lost.
    if (code !== 0 && tally.failed === failedBefore) {
      throw new StepError(`jest ended with code ${code} although no test failed`);
    }
    if (code !== 0) throw new CountedFailure();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Ends the step as failed; its failures are in the tally already. */
class CountedFailure extends Error {}

async function everything() {
  const tally = new Tally();
  if (!(await setupOrExplain())) {
    tally.failed++;
    tally.failures.push('set-up');
  } else {
    await tally.check('lock file', checkLockFile);
    await tally.check('dependencies', checkDependencies);
    await tally.check('lint', async () => {
      const args = ['check', '--error-on-warnings', '--max-diagnostics=100'];
      mustPass(await runCommand('@biomejs/biome', 'biome', args), 'biome');
    });
    await tally.check('typecheck', async () => {
      mustPass(await runCommand('typescript', 'tsc', ['-p', 'tsconfig.json']), 'tsc');
    });
    // It needs what the set-up has installed.
    const coverage = await import('./coverage/check.mjs');
    coverage.clearCoverage();
    await step('tests', () => runJest(tally, coverage), { streams: true }).catch((error) => {
      if (!(error instanceof CountedFailure)) tally.fail('tests', error);
    });
    await tally.check('coverage', coverage.checkCoverage);
    await tally.check('fuzzing', () => checkByFuzzing(fuzzing));
    await checkPackages(tally);
  }
  tally.summary();
  return tally.failed === 0 ? 0 : 1;
}

async function onlyJest(args) {
  if (!(await setupOrExplain())) return 1;
  return (await runCommand('jest', 'jest', args, { stream: true })).code;
}

const args = process.argv.slice(2);
process.exitCode = args.length > 0 ? await onlyJest(args) : await everything();
