import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { root } from '../../scripts/run.mjs';

const require = createRequire(import.meta.url);

/** Work of others on this machine, in cores, above which figures are not to be believed. */
const quiet = 0.5;

/** For how long is looked at what others do, in milliseconds. */
const lookingTime = 1_000;

/** What others are doing on this machine, in cores, while nothing is measured. The load average is of the past as well. */
export async function otherWork() {
  const before = busyTime();
  await new Promise((resolve) => setTimeout(resolve, lookingTime));
  return (busyTime() - before) / lookingTime;
}

/** All cores together, in milliseconds. */
function busyTime() {
  return cpus().reduce(
    (sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq,
    0,
  );
}

export const isBusy = (work) => work > quiet;

const versionIn = (folder) =>
  JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')).version;

/** Version of a dependency, where it lies for this package. */
export function dependencyVersion(name) {
  const folder = require.resolve.paths(name).map((path) => join(path, name, 'package.json'));
  for (const file of folder) {
    try {
      return JSON.parse(readFileSync(file, 'utf8')).version;
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
  }
  throw new Error(`${name} is not installed`);
}

/** Upwire's version with the commit; a `+` where the folder differs from it. */
export function upwireVersion() {
  const version = versionIn('packages/engine');
  try {
    const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
    const changed = git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+';
    return `${version} (${git('rev-parse', '--short', 'HEAD')}${changed})`;
  } catch {
    // A copy without its history, or a machine without git.
    return version;
  }
}

/** Whether an adapter has been built. */
export function isBuilt(folder) {
  try {
    require.resolve(`@upwire/${folder}`);
    return true;
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND') return false;
    throw error;
  }
}

/** What the machine is. */
export function machine() {
  const all = cpus();
  return {
    cpu: all[0].model.trim(),
    cores: all.length,
    memory: Math.round(totalmem() / 1024 ** 3),
    system: `${type()} ${release()}`,
  };
}
