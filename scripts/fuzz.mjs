// `npm run fuzz`: inputs made from a seed on everything that reads what strangers send, for as long as one likes. The program
// that tries them is packages/engine/test/fuzz/main.ts; here it is started and watched, for it may crash or hang.
import './node-version.mjs';
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { root } from './run.mjs';
import { StepError } from './steps.mjs';

const FUZZ = join(root, 'packages/engine/test/fuzz/main.ts');
const REGISTER = join(root, 'packages/engine/test/support/register.cjs');

/** The longest that one input may take, on a machine that has other things to do. */
const INPUT_LIMIT = 20_000;
const HEAP_MIB = 256;
/** What memory may grow by, whatever its size is. */
const GROWTH_BYTES = 3 * 1024 * 1024;

/** Starts the program with a task; each line that it says goes to `onLine`. @returns how it ended */
function start(task, env, onLine) {
  const args = ['--expose-gc', `--max-old-space-size=${HEAP_MIB}`, '--require', REGISTER, FUZZ];
  const child = spawn(process.execPath, [...args, JSON.stringify(task)], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors = (errors + chunk).slice(-4000);
  });
  createInterface({ input: child.stdout }).on('line', (line) => onLine(JSON.parse(line)));
  return new Promise((done) => {
    const watch = watchProgress(task.progress, () => child.kill('SIGKILL'));
    child.on('close', (code, signal) => {
      clearInterval(watch.timer);
      done({ code, signal, errors, hung: watch.hung });
    });
  });
}

/** Calls `onHang` when the input under way stays the same for too long. */
function watchProgress(file, onHang) {
  const watch = { hung: false, timer: undefined };
  let last = '';
  let since = Date.now();
  watch.timer = setInterval(() => {
    const now = readProgress(file);
    if (now === '' || now !== last) {
      last = now;
      since = Date.now();
    } else if (Date.now() - since > INPUT_LIMIT) {
      watch.hung = true;
      onHang();
    }
  }, 500);
  return watch;
}

function readProgress(file) {
  try {
    return readFileSync(file, 'utf8').split('\n')[0];
  } catch {
    // Not begun yet.
    return '';
  }
}

/** Memory that does not stay as it is once the program is warm; `undefined` where it does. */
function growth({ samples }) {
  const warm = samples.slice(Math.ceil(samples.length / 4));
  if (warm.length < 4) return undefined;
  const half = Math.floor(warm.length / 2);
  // The least of several: what zlib holds comes and goes.
  const [before, after] = [Math.min(...warm.slice(0, half)), Math.min(...warm.slice(-half))];
  const grown = after - before;
  if (grown <= Math.max(GROWTH_BYTES, before * 0.1)) return undefined;
  return `memory grows, by ${Math.round(grown / 1024)} KiB: ${samples.join(' ')}`;
}

const text = (finding) => `${finding.target}: ${finding.error}\n  repeat: ${finding.repeat}`;

/** Runs all targets, or some, once with one seed. */
async function fuzzOnce(options, seed, folder) {
  const { targets, seconds, explore, input, number } = options;
  const corpus = join(folder, `corpus-${seed}.json`);
  const progress = join(folder, `progress-${seed}`);
  const task = { seed, seconds, targets, corpus, progress };
  const repeat = (target, more) => `npm run fuzz -- --target ${target} ${more}`;
  const findings = [];
  const done = [];
  const onLine = (line) => {
    if (line.finding !== undefined) {
      const { finding: target, error, number: at } = line;
      findings.push({
        target,
        error: `${error} (input ${at})`,
        repeat: repeat(target, `--input ${line.input}`),
      });
    } else if (line.done !== undefined) {
      done.push(line);
      const grown = growth(line);
      if (grown === undefined) return;
      const again = repeat(line.done, `--seed ${seed} --seconds ${Math.ceil(line.seconds)}`);
      findings.push({ target: line.done, error: grown, repeat: again });
    } else options.onProgress?.(line);
  };
  writeFileSync(corpus, '{}');
  const steps = [];
  if (input === undefined && explore > 0) steps.push([{ ...task, explore }, { UPWIRE_COUNT: '1' }]);
  steps.push([{ ...task, input, number }, {}]);
  for (const [step, env] of steps) {
    const { code, hung, signal, errors } = await start(step, env, onLine);
    if (code === 0) continue;
    const [target = 'none', at = '0'] = readProgress(progress).split(' ');
    const error = hung
      ? `no end after ${INPUT_LIMIT / 1000} s`
      : `ended with ${code ?? signal}\n${errors}`;
    findings.push({
      target,
      error: `${error} (input ${at})`,
      repeat: repeat(target, `--seed ${seed} --number ${at}`),
    });
    break;
  }
  return { findings, done };
}

/**
 * Fuzzes for so many seconds.
 *
 * @param {object} options
 * @param {number} options.seed the same seed is the same inputs
 * @param {number} options.seconds for all targets together
 * @param {string[]} [options.targets] all where there are none
 * @param {number} [options.jobs] processes at once, each with a seed of its own
 * @param {number} [options.explore] inputs of each target with which those worth changing are looked for
 * @returns the findings, and what was done, a row for each target
 */
export async function fuzz({ jobs = 1, targets = [], explore = 1000, ...rest }) {
  const folder = mkdtempSync(join(tmpdir(), 'upwire-fuzz-'));
  try {
    const seeds = Array.from({ length: jobs }, (_, index) => rest.seed + index);
    const runs = await Promise.all(
      seeds.map((seed) => fuzzOnce({ ...rest, targets, explore }, seed, folder)),
    );
    return {
      findings: runs.flatMap(({ findings }) => findings),
      rows: summary(runs.flatMap(({ done }) => done)),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function summary(lines) {
  const rows = new Map();
  for (const { done, inputs, seconds, kept } of lines) {
    const row = rows.get(done) ?? { inputs: 0, seconds: 0, kept: 0 };
    rows.set(done, {
      inputs: row.inputs + inputs,
      seconds: Math.max(row.seconds, seconds),
      kept: row.kept + kept,
    });
  }
  return rows;
}

/** The short run of `npm test`. @returns what was done @throws StepError with the findings */
export async function checkByFuzzing(seconds) {
  const { findings, rows } = await fuzz({ seed: 1, seconds, explore: 100 });
  if (findings.length > 0) throw new StepError(findings.map(text).join('\n'));
  const inputs = [...rows.values()].reduce((sum, row) => sum + row.inputs, 0);
  return `${inputs.toLocaleString('en')} inputs on ${rows.size} targets`;
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      minutes: { type: 'string' },
      seconds: { type: 'string' },
      target: { type: 'string', multiple: true },
      jobs: { type: 'string' },
      explore: { type: 'string' },
      input: { type: 'string' },
      number: { type: 'string' },
    },
  });
  const number = (name) => {
    const value = values[name];
    if (value === undefined || /^\d+(\.\d+)?$/.test(value)) return value && Number(value);
    throw new StepError(`--${name} is a number, got ${value}`);
  };
  return {
    seed: number('seed') ?? randomInt(2 ** 31),
    seconds: number('seconds') ?? (number('minutes') ?? 1) * 60,
    targets: values.target?.flatMap((names) => names.split(',')) ?? [],
    jobs: number('jobs'),
    explore: number('explore'),
    input: values.input,
    number: number('number'),
  };
}

async function main() {
  const options = readOptions();
  console.log(`seed ${options.seed}, ${options.seconds} s`);
  const onProgress = ({ target, inputs, rss }) => {
    const line = `… ${target}: ${inputs.toLocaleString('en')} inputs, ${rss >> 20} MiB`;
    if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${line}`);
  };
  const { findings, rows } = await fuzz({ ...options, onProgress });
  if (process.stdout.isTTY) process.stdout.write('\r\x1b[K');
  for (const [target, { inputs, seconds, kept }] of rows) {
    const rate = seconds > 0 ? Math.round(inputs / seconds).toLocaleString('en') : '-';
    const columns = [
      target.padEnd(13),
      inputs.toLocaleString('en').padStart(12),
      `${rate}/s`.padStart(12),
    ];
    console.log(`${columns.join(' ')}   ${kept} kept`);
  }
  for (const finding of findings) console.log(`✗ ${text(finding)}`);
  console.log(`${findings.length} findings`);
  process.exitCode = findings.length > 0 ? 1 : 0;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main().catch((error) => {
    console.error(error instanceof StepError ? error.message : error);
    process.exitCode = 2;
  });
}
