// `npm run test:long`: faults, load and leaks, for Upwire and for what it replaces. `--help` lists the options.
import '../scripts/node-version.mjs';
import { build } from '../scripts/build.mjs';
import { step } from '../scripts/steps.mjs';
import { Context } from './control/context.mjs';
import { readOptions, usage } from './options.mjs';
import { Progress } from './report/progress.mjs';
import { fileFor, merge, readResults, writeResults } from './report/results.mjs';
import { markdown, summary } from './report/table.mjs';

/** Runs one test on one subject. What it throws is its failure. */
async function runOne(test, context) {
  const lacks = test.missing?.();
  if (lacks !== undefined) return { skipped: lacks };
  const start = performance.now();
  try {
    const result = await test.run(context);
    return { ...result, seconds: (performance.now() - start) / 1000 };
  } catch (error) {
    const figure = (await context.died()) ? 'DEAD' : `failed: ${error.message.split('\n')[0]}`;
    return { passed: false, figure, error: error.stack };
  } finally {
    await context.endTest();
  }
}

const wantedOf = ({ tests, profile }) => tests.filter(({ long }) => !long || profile === 'full');

/** Those of the tests that a subject takes part in. */
function ownOf(subject, tests, profile) {
  const all = () => true;
  return tests.filter(
    ({ only = all, quick = all }) => only(subject) && (profile === 'full' || quick(subject)),
  );
}

/** Whether a subject has to pass a test. */
const has = (subject, { must = () => true }) => subject.ours && must(subject);

async function runAll({ tests, subjects, profile, minutes, json }) {
  const wanted = wantedOf({ tests, profile });
  const results = { conditions: conditions(profile), cells: [] };
  const file = json ?? fileFor(results);
  for (const subject of subjects) {
    const own = ownOf(subject, wanted, profile);
    const progress = new Progress(subject, own.length);
    const context = new Context(subject, { profile, minutes }, (text) => progress.tell(text));
    for (const test of own) {
      progress.begin(test);
      const must = has(subject, test);
      const cell = { test: test.id, subject: subject.id, must, ...(await runOne(test, context)) };
      progress.end(test, cell);
      results.cells.push(cell);
      writeResults(file, results);
    }
    await context.end();
  }
  return { results, file };
}

function conditions(profile) {
  return { profile, node: process.versions.node, date: new Date().toISOString() };
}

/** Names the tests that one of the subjects at least has to pass. */
function list({ tests, subjects, profile }) {
  const asked = new Set(
    subjects.flatMap((subject) =>
      ownOf(subject, wantedOf({ tests, profile }), profile).filter((test) => has(subject, test)),
    ),
  );
  for (const { id, title, pass, long } of tests.filter((test) => asked.has(test))) {
    console.log(`${id.padEnd(4)} ${title}: ${pass}${long ? ' (long)' : ''}`);
  }
}

async function report(options) {
  if (options.build && options.from.length === 0) await step('build', build);
  const { results, file } =
    options.from.length > 0 ? { results: merge(readResults(options.from)) } : await runAll(options);
  console.log(options.markdown ? markdown(results) : summary(results));
  if (file !== undefined) console.log(`Results: ${file}`);
  const failed = results.cells.filter(({ passed, must }) => must && passed === false);
  if (failed.length > 0) process.exitCode = 1;
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) console.log(usage);
  else if (options.list) list(options);
  else await report(options);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
// What a test has left behind that ended in its middle is nobody's to wait for.
process.exit();
