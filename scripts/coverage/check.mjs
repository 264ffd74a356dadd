// What the tests have to run: every line and branch of the modules that read what strangers send, by their own tests; and
// more than 95 % of each package by all of them.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { builtPackages } from '../build.mjs';
import { root } from '../run.mjs';
import { StepError } from '../steps.mjs';
import { FOLDERS, OWN_TESTS, path } from './own-tests.mjs';

const { instrument } = createRequire(import.meta.url)('./instrument.cjs');

const SUMMARY = join(root, 'coverage', 'coverage-summary.json');
const MEASURES = ['lines', 'branches'];
const LEAST = 95;

/** For jest, so that {@link checkCoverage} finds what it needs. */
export const COVERAGE = ['--coverage', '--coverageReporters=json-summary'];

/** Forgets an earlier run, whose numbers must not stand for those of the next. */
export function clearCoverage() {
  for (const file of [SUMMARY, OWN_TESTS]) rmSync(file, { force: true });
}

const read = (file) => JSON.parse(readFileSync(file, 'utf8'));

/** Whether there is anything to run in a module: types alone leave nothing. */
function hasCode(file) {
  const { statementMap } = instrument(readFileSync(file, 'utf8'), file).coverage;
  return Object.keys(statementMap).length > 0;
}

/** What the own tests of a module have left, as lines for the reader. */
function complaints(file, left) {
  if (left === undefined) return hasCode(file) ? [`${path(file)}: none of its tests uses it`] : [];
  return MEASURES.filter((measure) => left[measure].length > 0).map(
    (measure) => `${path(file)}: ${measure} ${[...new Set(left[measure])].join(', ')}`,
  );
}

function checkModules() {
  const own = read(OWN_TESTS);
  const modules = FOLDERS.flatMap((folder) => {
    const parent = join(root, 'packages/engine/src', folder);
    const names = readdirSync(parent).filter((name) => name.endsWith('.ts'));
    return names.map((name) => join(parent, name));
  });
  const lines = modules.flatMap((file) => complaints(file, own[path(file)]));
  if (lines.length === 0) return;
  throw new StepError(
    `what the tests in packages/engine/test/{${FOLDERS}} do not run:\n${lines.join('\n')}`,
  );
}

/** Of the files of a package, how many of a hundred lines or branches have run. */
function percent(summary, name, measure) {
  const files = Object.entries(summary).filter(([file]) =>
    path(file).startsWith(`packages/${name}/`),
  );
  const sum = (what) => files.reduce((total, [, file]) => total + file[measure][what], 0);
  return (100 * sum('covered')) / sum('total');
}

function checkPackages() {
  const summary = read(SUMMARY);
  const percents = builtPackages().map((name) => ({
    name,
    values: MEASURES.map((measure) => percent(summary, name, measure)),
  }));
  const shown = percents.map(({ name, values }) => {
    const [lines, branches] = values.map((value) => value.toFixed(1));
    return `${name} ${lines} % of lines, ${branches} % of branches`;
  });
  if (percents.some(({ values }) => values.some((value) => !(value > LEAST)))) {
    throw new StepError(`each package needs more than ${LEAST} %:\n${shown.join('\n')}`);
  }
  return shown.join('; ');
}

/** Throws where a run of all tests with {@link COVERAGE} has left too much. @returns what the packages have */
export function checkCoverage() {
  checkModules();
  return checkPackages();
}
