import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// The short form of `npm run test:long`, for ours alone: every test that takes no more than some seconds.

const program = join(__dirname, '..', 'run.mjs');
const SUBJECTS = ['upwire', 'express', 'fastify', 'koa'];

interface Cell {
  readonly test: string;
  readonly passed?: boolean;
  readonly figure?: string;
  /** What the machine lacks for it. */
  readonly skipped?: string;
}

interface Listed {
  readonly id: string;
  readonly title: string;
}

/** Those that a subject has to pass, so that a test that was not run has failed. */
function testsOf(subject: string): Listed[] {
  const args = [program, '--quick', '--list', '--subject', subject];
  const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [id] = line.split(' ');
      return { id, title: line.slice(id.length).trim() };
    });
}

function run(subject: string, file: string): Promise<Cell[]> {
  return new Promise((resolve, reject) => {
    const args = [program, '--quick', '--no-build', '--subject', subject, '--json', file];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let noise = '';
    child.stderr.on('data', (chunk) => {
      noise += chunk;
    });
    child.on('error', reject);
    child.on('close', () => {
      try {
        resolve(JSON.parse(readFileSync(file, 'utf8')).cells);
      } catch (error) {
        reject(new Error(`${subject}: no results\n${noise}`, { cause: error }));
      }
    });
  });
}

describe.each(SUBJECTS)('%s', (subject) => {
  const folder = mkdtempSync(join(tmpdir(), 'upwire-reliability-'));
  let cells: Cell[] = [];

  beforeAll(async () => {
    cells = await run(subject, join(folder, 'results.json'));
  }, 180_000);

  afterAll(() => rmSync(folder, { recursive: true }));

  test.each(testsOf(subject))('$id $title', ({ id }) => {
    const cell = cells.find(({ test }) => test === id);
    if (cell?.skipped !== undefined) console.warn(`${id} skipped: ${cell.skipped}`);
    else expect(cell).toEqual({ ...cell, passed: true });
  });
});
