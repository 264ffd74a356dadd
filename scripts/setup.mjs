// What `npm start` and `npm test` need first: the dependencies of the lock file, and a build.
import './node-version.mjs';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from './build.mjs';
import { root, runNpm } from './run.mjs';
import { mustPass, step } from './steps.mjs';

const readJson = (...path) => JSON.parse(readFileSync(join(root, ...path), 'utf8'));

const dependencyKinds = [
  'dependencies',
  'devDependencies',
  'optionalDependencies',
  'peerDependencies',
];

/** Whether a package.json asks for what the lock file recorded of it. */
function asksForTheSame(locked, folder) {
  const manifest = readJson(folder, 'package.json');
  return dependencyKinds.every((kind) => {
    const sorted = (object = {}) => JSON.stringify(Object.entries(object).sort());
    return sorted(locked[kind]) === sorted(manifest[kind]);
  });
}

/**
 * Why node_modules is not what package-lock.json says, or undefined if it is. npm writes its own
 * record of an installation as its last act, so an interrupted one has none. No stamp of our own: that would
 * reinstall after each `npm install` a developer runs.
 */
export function whyInstall() {
  const record = join('node_modules', '.package-lock.json');
  if (!existsSync(join(root, record))) return 'nothing is installed';
  const wanted = readJson('package-lock.json').packages;
  const installed = readJson(record).packages;
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.startsWith('node_modules/') && !path.includes('/node_modules/')) {
      if (!existsSync(join(root, path)) || !asksForTheSame(entry, path)) {
        return `${join(path, 'package.json')} differs from the lock file`;
      }
    } else if (!installed[path]) {
      if (!entry.optional) return `${path} is missing`;
    } else if (!entry.link && installed[path].version !== entry.version) {
      return `${path} is ${installed[path].version} instead of ${entry.version}`;
    }
  }
  return undefined;
}

async function install() {
  const args = ['ci', '--no-audit', '--no-fund', '--prefer-offline'];
  mustPass(await runNpm(args), 'npm ci');
}

/** Installs and builds, as far as either is needed. */
export async function setup() {
  const reason = whyInstall();
  if (reason) await step(`install (${reason})`, install);
  await step('build', build);
}

/** `setup` for an entry script: prints what failed and returns whether all is well. */
export async function setupOrExplain() {
  try {
    await setup();
    return true;
  } catch (error) {
    console.error(error.message);
    return false;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  if (!(await setupOrExplain())) process.exitCode = 1;
}
