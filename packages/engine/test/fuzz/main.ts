// The program behind `npm run fuzz` (scripts/fuzz.mjs), which watches it: it tries inputs on its targets, and says on
// standard output, a JSON object a line, what has come of them.
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { keepNewInputs } from './coverage';
import { Inputs, shrink, tryInput } from './engine';
import type { Target } from './target';
import { clientHandshake } from './targets/client';
import { connection } from './targets/connection';
import { codec } from './targets/deflate';
import { extensions, negotiation, subprotocols } from './targets/grammars';
import { parser } from './targets/parser';
import { receiver } from './targets/receiver';
import { serverHandshake } from './targets/server';
import { webSocket } from './targets/websocket';

const TARGETS: readonly Target[] = [
  parser,
  connection,
  extensions,
  subprotocols,
  negotiation,
  serverHandshake,
  clientHandshake,
  codec,
  webSocket,
  receiver,
];

/** What the program is told, by its one argument. */
interface Task {
  readonly seed: number;
  readonly seconds: number;
  /** Names of targets; all where there are none. */
  readonly targets: readonly string[];
  /** Where the number of the input under way is, for whoever finds this process hanging or gone. */
  readonly progress: string;
  /** Where inputs are kept that reach what none before has reached, by target, in hexadecimal. */
  readonly corpus: string;
  /** How many inputs to look for such ones; the sources have to count then. */
  readonly explore?: number;
  /** The one input to try. */
  readonly input?: string;
  /** The number of the one input to try. */
  readonly number?: number;
}

const task: Task = JSON.parse(process.argv[2]);
const chosen = TARGETS.filter(
  ({ name }) => task.targets.length === 0 || task.targets.includes(name),
);

// Node asks each error for its stack, and nobody reads those of the errors that are expected.
Error.stackTraceLimit = task.input === undefined ? 0 : 20;

const say = (line: object): boolean => process.stdout.write(`${JSON.stringify(line)}\n`);
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

let uncaught: unknown;
for (const event of ['uncaughtException', 'unhandledRejection']) {
  process.on(event, (error) => {
    uncaught ??= error;
  });
}

async function findingOf(target: Target, input: Uint8Array): Promise<unknown> {
  const found = await tryInput(target, input);
  const [stray] = [uncaught];
  uncaught = undefined;
  return found ?? stray;
}

/** Memory in use, garbage aside. */
function memory(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function report(target: Target, number: number, input: Uint8Array, found: unknown) {
  const small = found instanceof Error ? await shrink(target, input, found) : input;
  say({
    finding: target.name,
    number,
    input: hexOf(small),
    error: found instanceof Error ? (found.stack ?? String(found)) : String(found),
  });
}

/** Lets what a socket or a timer still has to do be done, from time to time. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function fuzz(target: Target, seconds: number, kept: readonly Uint8Array[]): Promise<void> {
  const inputs = new Inputs(task.seed, kept);
  const file = openSync(task.progress, 'w');
  const start = performance.now();
  // Not so often that a short run does nothing else.
  const interval = Math.max(500, seconds * 50);
  const samples: number[] = [];
  let number = 0;
  for (let now = start; now - start < seconds * 1000; now = performance.now()) {
    // A glance at the clock costs as much as some inputs.
    do {
      writeSync(file, `${target.name} ${number}\n`, 0);
      const input = inputs.at(number);
      const found = await findingOf(target, input);
      if (found !== undefined) {
        closeSync(file);
        await report(target, number, input, found);
        return;
      }
      number++;
    } while (number % 64 !== 0);
    await turn();
    if (now - start > interval * samples.length) {
      samples.push(memory());
      say({ target: target.name, inputs: number, rss: process.memoryUsage.rss() });
    }
  }
  closeSync(file);
  samples.push(memory());
  const took = (performance.now() - start) / 1000;
  say({ done: target.name, inputs: number, seconds: took, kept: kept.length, samples });
}

function readCorpus(): Record<string, string[]> {
  return JSON.parse(readFileSync(task.corpus, 'utf8'));
}

async function explore(count: number): Promise<void> {
  const corpus: Record<string, string[]> = {};
  for (const target of chosen) {
    corpus[target.name] = (await keepNewInputs(target, task.seed, count)).map(hexOf);
  }
  writeFileSync(task.corpus, JSON.stringify(corpus));
}

async function main(): Promise<void> {
  if (task.explore !== undefined) {
    await explore(task.explore);
    return;
  }
  const corpus = readCorpus();
  const shares = chosen.reduce((sum, { share }) => sum + share, 0);
  for (const target of chosen) {
    const kept = (corpus[target.name] ?? []).map((text) => Buffer.from(text, 'hex'));
    const { input, number } = task;
    if (input !== undefined || number !== undefined) {
      const bytes =
        input === undefined
          ? new Inputs(task.seed, kept).at(number ?? 0)
          : Buffer.from(input, 'hex');
      const found = await findingOf(target, bytes);
      if (found === undefined)
        say({ done: target.name, inputs: 1, seconds: 0, kept: 0, samples: [] });
      else await report(target, number ?? 0, bytes, found);
    } else {
      await fuzz(target, (task.seconds * target.share) / shares, kept);
    }
  }
}

main().then(
  // What is left open, such as the timer of a pool, is no reason to stay.
  () => process.exit(),
  (error) => {
    console.error(error);
    process.exit(2);
  },
);
