import { parseArgs } from 'node:util';
import { chooseSubjects } from './subjects.mjs';
import { chooseTests } from './tests.mjs';

export const usage = `npm run test:long -- [options]

  --only IDS        tests: F7,L3
  --subject NAMES   upwire, express, fastify, koa, ws, express-ws, fastify-websocket, koa-easy-ws
  --quick           small numbers, and none of the long tests: what npm test runs on ours
  --minutes N       how long the soak takes (9)
  --json FILE       where the results go (reliability/results/)
  --markdown        prints the table as Markdown at the end
  --from FILES      reports on results from before, and runs nothing
  --no-build        takes the packages as they were built last
  --list            names the tests
`;

const names = (list) => (list === undefined ? [] : list.split(',').filter((name) => name !== ''));

/** Reads the command line. @throws Error whose message tells the user what is wrong */
export function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string' },
      subject: { type: 'string' },
      quick: { type: 'boolean' },
      minutes: { type: 'string', default: '9' },
      json: { type: 'string' },
      markdown: { type: 'boolean' },
      from: { type: 'string' },
      'no-build': { type: 'boolean' },
      list: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  const { only, subject, quick, from, minutes, 'no-build': noBuild, ...others } = values;
  if (!(Number(minutes) > 0)) throw new Error(`--minutes takes a number, and not "${minutes}"`);
  return {
    ...others,
    tests: chooseTests(names(only)),
    subjects: chooseSubjects(names(subject)),
    profile: quick ? 'quick' : 'full',
    from: names(from),
    minutes: Number(minutes),
    build: !noBuild,
  };
}
