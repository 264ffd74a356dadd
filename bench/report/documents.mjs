// The documents that show results: README.md, docs/performance.md and its chart.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { peers as allPeers } from '../peers.mjs';
import { columnsOf, referenceLabel } from './summary.mjs';
import { chart } from './svg.mjs';
import { legend, markdown } from './table.mjs';

const begin = '<!-- bench: written by `npm run bench -- --from … --docs` -->';
const end = '<!-- /bench -->';

/** The document with results between its marks. @throws Error where it has none */
function filled(file, content) {
  const text = readFileSync(file, 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from === -1 || to < from)
    throw new Error(`${file} has no place for results: ${begin} ${end}`);
  const [before, behind] = [text.slice(0, from + begin.length), text.slice(to)];
  return `${before}\n\n${content.trim()}\n\n${behind}`;
}

/** Where, when and with what. */
function conditions({ machine, versions, command, date }) {
  const packages = allPeers.filter(({ id }) => versions[id]);
  const told = packages.map(({ id, label }) => `${label} ${versions[id]}`).join(', ');
  return (
    `Node ${versions.node}, ${machine.cpu}, ${machine.cores} cores, ${machine.system}, ${date.slice(0, 10)}; ` +
    `${told}.\n\n    ${command.replaceAll('\n', '\n    ')}`
  );
}

/** Marks are about the clock. */
const unmarked = (columns) =>
  Object.fromEntries(Object.entries(columns).map(([id, own]) => [id, { ...own, saturated: 0 }]));

/** The scenarios of the chart, their CPU time alone. */
function short(rows) {
  const shown = { section: 'CPU time of the server', figures: ['cpu'] };
  const chosen = rows
    .filter((row) => row.chart !== undefined)
    .map((row) => ({ ...row, ...shown, title: row.chart, columns: unmarked(row.columns) }));
  return markdown(chosen, columnsOf(chosen));
}

/** Draws the chart. @throws Error where no scenario of it has been run */
export function writeChart(result, file) {
  const { scenarios: rows } = result;
  const drawing = chart(result, columnsOf(rows), referenceLabel(rows));
  if (drawing === undefined) throw new Error('No scenario of the chart has been run');
  writeFileSync(file, drawing);
}

/**
 * Writes results into the documents: all of them, or none.
 *
 * @param {import('./json.mjs').Result} result
 * @param {string} root the folder of README.md and docs/
 */
export function writeDocuments(result, root) {
  const { scenarios: rows, missing } = result;
  const facts = conditions(result);
  const reference = referenceLabel(rows);
  const notes = legend({ ...result.conditions, rows, missing, reference }).join(' ');
  const contents = {
    'README.md': `${short(rows)}\n\n${facts}`,
    'docs/performance.md': `${facts}\n\n${markdown(rows, columnsOf(rows))}\n\n${notes}`,
  };
  const documents = Object.entries(contents).map(([name, content]) => {
    const file = join(root, name);
    return [file, filled(file, content)];
  });
  writeChart(result, join(root, 'docs', 'bench.svg'));
  for (const [file, text] of documents) writeFileSync(file, text);
}
