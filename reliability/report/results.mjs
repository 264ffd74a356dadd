import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { root } from '../../scripts/run.mjs';

/** A file of its own for each run. */
export function fileFor({ conditions: { date, node } }) {
  const stamp = date.slice(0, 19).replaceAll(':', '');
  return relative(process.cwd(), join(root, 'reliability', 'results', `${stamp}-node${node}.json`));
}

export function writeResults(file, results) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(results, undefined, 2)}\n`);
}

export const readResults = (files) => files.map((file) => JSON.parse(readFileSync(file, 'utf8')));

/** Several runs as one; of the same test of the same subject the last one counts. */
export function merge(all) {
  const cells = new Map();
  for (const { cells: own } of all)
    for (const cell of own) cells.set(`${cell.test} ${cell.subject}`, cell);
  return { conditions: all.at(-1).conditions, cells: [...cells.values()] };
}
