// `npm run bench`: measures, and shows what came out. `--help` lists the options.
import '../scripts/node-version.mjs';
import { join, relative } from 'node:path';
import { build } from '../scripts/build.mjs';
import { root } from '../scripts/run.mjs';
import { step } from '../scripts/steps.mjs';
import { findParticipants } from './measure/participants.mjs';
import { measureAll } from './measure/series.mjs';
import { readOptions, usage } from './options.mjs';
import { writeChart, writeDocuments } from './report/documents.mjs';
import { readResults, writeResult } from './report/json.mjs';
import { Progress } from './report/progress.mjs';
import { columnsOf, referenceLabel } from './report/summary.mjs';
import { header, legend, lines, markdown } from './report/table.mjs';

/** Where results go: each into a file of its own. */
function fileFor({ date, versions }) {
  const stamp = date.slice(0, 19).replaceAll(':', '');
  return join(root, 'bench', 'results', `${stamp}-node${versions.node}.json`);
}

/** Measures, with a line of the table for each scenario that is over. What is over is kept, whatever comes then. */
async function measureNow(options) {
  if (options.build) await step('build', build);
  const participants = await findParticipants(options);
  const { scenarios } = options;
  const columns = participants.peers.filter(({ id }) =>
    scenarios.some(({ peers }) => peers.includes(id)),
  );
  let progress;
  let result;
  await measureAll(options, participants, {
    start(empty) {
      result = empty;
      progress = new Progress(scenarios.length, result.conditions.rounds);
      const { machine, versions } = result;
      const told = columns
        .filter(({ id }) => versions[id])
        .map((one) => `${one.label} ${versions[one.id]}`);
      console.log(`\n${machine.cpu}, ${machine.cores} cores, ${machine.system}`);
      console.log([`Node ${versions.node}`, ...told].join('; '));
      console.log(header(columns));
    },
    begin: (name, round, peer) => progress.begin(name, round, peer.label),
    end(row) {
      progress.end(lines(row, columns));
      writeResult(options.json ?? fileFor(result), result);
    },
  });
  return result;
}

function showTable({ scenarios: rows }) {
  const peers = columnsOf(rows);
  console.log([header(peers), ...rows.flatMap((row) => lines(row, peers))].join('\n'));
}

function showNotes({ scenarios: rows, missing, conditions }) {
  const notes = legend({ ...conditions, rows, missing, reference: referenceLabel(rows) });
  console.log(`\n${notes.join('\n')}`);
}

function draw(result, file) {
  writeChart(result, file);
  console.log(`Chart: ${relative(process.cwd(), file)}`);
}

function list(scenarios) {
  for (const { name, section, title } of scenarios) {
    console.log(`${name.padEnd(20)} ${section}: ${title}`);
  }
}

const hasFailed = ({ columns }) =>
  Object.values(columns).some(({ failure }) => failure !== undefined);

async function report(options) {
  const before = options.from.length > 0;
  const result = before ? readResults(options.from) : await measureNow(options);
  const { scenarios: rows } = result;
  if (rows.length === 0) throw new Error('None of these peers can do any of these scenarios here');
  if (before) showTable(result);
  if (options.markdown) console.log(`\n${markdown(rows, columnsOf(rows))}`);
  showNotes(result);
  if (!before) {
    console.log(`Results: ${relative(process.cwd(), options.json ?? fileFor(result))}`);
  }
  if (options.svg !== undefined) draw(result, options.svg);
  if (options.docs !== undefined) writeDocuments(result, options.docs);
  if (rows.some(hasFailed)) process.exitCode = 1;
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) console.log(usage);
  else if (options.list) list(options.scenarios);
  else await report(options);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
