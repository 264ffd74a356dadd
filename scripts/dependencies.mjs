// Whose code runs beside ours: each package depends on what is written here and nothing else, and what development depends on
// has its reason in ADR 9.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './run.mjs';
import { StepError } from './steps.mjs';

/** What is installed with each package. Another one needs an ADR. */
const RUNTIME = {
  '@upwire/engine': [],
  '@upwire/express': ['@upwire/engine'],
  // ADR 24.
  '@upwire/fastify': ['@upwire/engine', 'fastify-plugin'],
  '@upwire/koa': ['@upwire/engine'],
};
const REASONS = 'docs/adr/0009-development-dependencies.md';

const read = (file) => readFileSync(join(root, file), 'utf8');
const manifestOf = (folder) => JSON.parse(read(join(folder, 'package.json')));
const namesIn = (...lists) => lists.flatMap((list) => Object.keys(list ?? {}));

function foldersIn(parent) {
  return readdirSync(join(root, parent))
    .map((name) => join(parent, name))
    .filter((folder) => existsSync(join(root, folder, 'package.json')));
}

/** What is wrong with a package that gets published. */
function packageFaults(folder) {
  const manifest = manifestOf(folder);
  const { name, version, dependencies, optionalDependencies, scripts = {} } = manifest;
  if (manifest.private) return [];
  const actual = namesIn(dependencies, optionalDependencies).sort().join(', ');
  const expected = (RUNTIME[name] ?? []).toSorted().join(', ');
  const own = Object.entries(dependencies ?? {}).filter(([other]) => other.startsWith('@upwire/'));
  return [
    actual === expected ? '' : `${name} depends on [${actual}] and not on [${expected}]`,
    ...own.map(([other, range]) =>
      range === version ? '' : `${name}: ${other} is not ${version}`,
    ),
    ...Object.keys(scripts).map(
      (script) => `${name} has a script, ${script}, that others could run`,
    ),
    manifest.publishConfig?.provenance === true ? '' : `${name} is published without provenance`,
  ];
}

function reasonFaults() {
  const reasons = read(REASONS);
  const { devDependencies } = manifestOf('.');
  const bench = manifestOf('bench');
  return namesIn(devDependencies, bench.dependencies, bench.devDependencies)
    .filter((name) => !reasons.includes(`\`${name}\``))
    .map((name) => `${name} has no reason in ${REASONS}`);
}

/** Throws where a package depends on more than it may, or development on something without a reason. */
export function checkDependencies() {
  const faults = [...foldersIn('packages').flatMap(packageFaults), ...reasonFaults()].filter(
    (fault) => fault !== '',
  );
  if (faults.length > 0) throw new StepError(faults.join('\n'));
}
