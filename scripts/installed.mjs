// Installs a package's tarball in an empty folder and uses it there as a stranger would. What is
// used, and how, is written in scripts/installed/<package>/:
//
//   require.cjs                   plain CommonJS
//   import.mjs                    plain ES modules
//   typescript.cts, .mts          both module kinds of `tsc --strict --module nodenext`, then run
//   jest.test.js                  inside jest, which loads CommonJS
//
// Each is well when it ends by itself and without an uncaught error. echo.cjs is laid beside them.
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, run, runCommand, runNpm } from './run.mjs';
import { mustPass, StepError } from './steps.mjs';

const uses = ['require.cjs', 'import.mjs', 'typescript.cts', 'typescript.mts', 'jest.test.js'];
const helpers = ['echo.cjs', 'echo.d.cts'];

const compilerOptions = {
  module: 'nodenext',
  target: 'es2023',
  strict: true,
  // The declarations of the installed package are what is checked here.
  skipLibCheck: false,
  types: ['node'],
};

/** The longest that one use may take, in milliseconds: a process that does not end by itself fails. */
const limit = 60_000;

const lockedVersion = (name) =>
  JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages[`node_modules/${name}`]
    .version;

/** The sibling tarballs that a package needs, however deep. */
function siblings({ manifest }, packed) {
  return Object.keys(manifest.dependencies ?? {})
    .map((name) => packed.find((other) => other.name === name))
    .filter((other) => other !== undefined)
    .flatMap((other) => [other, ...siblings(other, packed)]);
}

/** Peers and their types, in the versions of the lock file: they are in npm's cache already. */
function companions({ manifest }) {
  const peers = Object.keys(manifest.peerDependencies ?? {});
  const optional = (name) => manifest.peerDependenciesMeta?.[name]?.optional === true;
  const names = ['@types/node', ...peers.filter((name) => !optional(name))];
  const typed = peers.map((name) => `@types/${name}`).filter(isLocked);
  return [...names, ...typed].map((name) => `${name}@${lockedVersion(name)}`);
}

function isLocked(name) {
  return existsSync(join(root, 'node_modules', name, 'package.json'));
}

async function install(one, packed, target) {
  const manifest = { name: 'stranger', private: true };
  writeFileSync(join(target, 'package.json'), JSON.stringify(manifest));
  const tarballs = [one, ...siblings(one, packed)].map(({ tarball }) => tarball);
  const args = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'];
  const result = await runNpm([...args, ...new Set(tarballs), ...companions(one)], { cwd: target });
  mustPass(result, 'npm install');
}

async function compile(target) {
  const config = { compilerOptions, files: ['typescript.cts', 'typescript.mts'] };
  writeFileSync(join(target, 'tsconfig.json'), JSON.stringify(config));
  mustPass(await runCommand('typescript', 'tsc', ['-p', target], { cwd: target }), 'tsc');
  for (const file of ['typescript.cjs', 'typescript.mjs']) await runFile(target, file);
}

async function runFile(target, file) {
  mustPass(await run(process.execPath, [file], { cwd: target, limit }), file);
}

async function runInJest(target) {
  const args = ['--rootDir', target, '--testMatch', '**/jest.test.js', '--ci', '--transform', '{}'];
  mustPass(await runCommand('jest', 'jest', args, { cwd: target, limit }), 'jest');
}

/** Counts in `tally` the installation of one package and each way of using it. */
export async function checkInstalled(one, packed, tally) {
  const shared = join(root, 'scripts', 'installed');
  const source = join(shared, one.folder);
  const target = mkdtempSync(join(tmpdir(), 'upwire-installed-'));
  const check = (what, work) => tally.check(`${one.name}: ${what}`, work);
  try {
    let installed = false;
    await check('install the tarball in an empty folder', async () => {
      const unwritten = uses.filter((file) => !existsSync(join(source, file)));
      if (unwritten.length > 0) throw new StepError(`${source} lacks ${unwritten.join(', ')}`);
      await install(one, packed, target);
      for (const file of uses) copyFileSync(join(source, file), join(target, file));
      for (const file of helpers) copyFileSync(join(shared, file), join(target, file));
      installed = true;
    });
    if (!installed) return;
    for (const file of ['require.cjs', 'import.mjs']) {
      await check(`installed, ${file}`, () => runFile(target, file));
    }
    await check('installed, TypeScript as CommonJS and as ES modules', () => compile(target));
    await check('installed, inside jest', () => runInJest(target));
  } finally {
    rmSync(target, { recursive: true, force: true });
  }
}
