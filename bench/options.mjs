import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../scripts/run.mjs';
import { choosePeers } from './peers.mjs';
import { chooseScenarios } from './scenarios.mjs';

export const usage = `npm run bench -- [options]

  --only NAMES      scenarios, by name or by its beginning: echo-64-deep,receive
  --peers NAMES     ws, ws-bufferutil, upwire, bun, net
  --rounds N        runs of each peer in each scenario (5)
  --quick           a quarter of the work, two rounds
  --smoke           next to no work, one round: shows that everything works
  --node WHICH      Node of the servers and clients: a path, or a version to fetch
  --bun WHICH       Bun: a path, or a version to fetch
  --cores A,B       cores of what is measured and of the load generator, or none
  --json FILE       where the results go (bench/results/)
  --svg[=FILE]      draws the chart (docs/bench.svg)
  --docs[=FOLDER]   writes chart and tables into README.md and docs/ (of this repository)
  --markdown        prints the table as Markdown at the end
  --from FILES      reports on results from before, and runs nothing
  --no-build        takes the packages as they were built last
  --list            names the scenarios
`;

const places = new Map([
  ['--svg', `--svg=${join(root, 'docs', 'bench.svg')}`],
  ['--docs', `--docs=${root}`],
]);

const names = (list) => (list === undefined ? [] : list.split(',').filter((name) => name !== ''));

/** The command that measures the same again; where results went is nobody's business. */
function commandOf(values) {
  const told = ['only', 'peers', 'rounds', 'quick', 'smoke', 'node', 'bun', 'cores'];
  const args = told
    .filter((name) => values[name] !== undefined)
    .map((name) => (values[name] === true ? `--${name}` : `--${name} ${values[name]}`));
  return ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' ');
}

/**
 * Reads the command line.
 *
 * @throws Error whose message tells the user what is wrong
 */
export function readOptions(args) {
  const { values } = parseArgs({
    // These two have a place of their own where none is named.
    args: args.map((arg) => places.get(arg) ?? arg),
    options: {
      only: { type: 'string' },
      peers: { type: 'string' },
      rounds: { type: 'string' },
      quick: { type: 'boolean' },
      smoke: { type: 'boolean' },
      node: { type: 'string' },
      bun: { type: 'string' },
      cores: { type: 'string' },
      json: { type: 'string' },
      svg: { type: 'string' },
      docs: { type: 'string' },
      markdown: { type: 'boolean' },
      from: { type: 'string' },
      'no-build': { type: 'boolean' },
      list: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  const { only, peers, rounds, from, 'no-build': noBuild, ...others } = values;
  if (rounds !== undefined && !/^[1-9]\d*$/.test(rounds)) {
    throw new Error(`--rounds takes a number from 1 on, and not "${rounds}"`);
  }
  return {
    ...others,
    command: commandOf(values),
    scenarios: chooseScenarios(names(only)),
    peers: choosePeers(names(peers)),
    rounds: rounds === undefined ? undefined : Number(rounds),
    from: names(from),
    build: !noBuild,
    profile: values.smoke ? 'smoke' : values.quick ? 'quick' : 'full',
  };
}
