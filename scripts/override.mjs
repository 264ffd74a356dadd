// Runs real programs on the packed engine in the place of `ws`, as a project does that overrides it:
//
//   "overrides": { "ws": "file:upwire-engine-….tgz" }
//
// The programs are in scripts/override/, with the versions of what they use in its package.json. Each is well when it
// ends by itself and without an uncaught error. `npm run test:override` runs them alone.
import './node-version.mjs';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from './build.mjs';
import { root, run, runNpm } from './run.mjs';
import { mustPass, StepError, step, Tally } from './steps.mjs';

const source = join(root, 'scripts', 'override');

/** The longest that one program may take, in milliseconds. */
const limit = 60_000;

/** Files that are started; the others are what these share. */
function programs() {
  const helpers = ['package.json', 'using.mjs'];
  return readdirSync(source)
    .filter((file) => !helpers.includes(file))
    .sort();
}

/** The browser for the program that needs one; `undefined` where there is none. */
function findChromium() {
  const { CHROMIUM_PATH, PATH = '' } = process.env;
  if (CHROMIUM_PATH) return CHROMIUM_PATH;
  return ['chromium', 'chromium-browser', 'google-chrome']
    .flatMap((name) => PATH.split(delimiter).map((folder) => join(folder, name)))
    .find((file) => existsSync(file));
}

async function install(tarball, target) {
  cpSync(source, target, { recursive: true });
  const file = join(target, 'package.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8'));
  const ours = `file:${tarball}`;
  const dependencies = { ...manifest.dependencies, ws: ours };
  writeFileSync(file, JSON.stringify({ ...manifest, dependencies, overrides: { ws: ours } }));
  const args = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'];
  mustPass(await runNpm(args, { cwd: target }), 'npm install');
}

/** Counts in `tally` each program on the engine's tarball. */
export async function checkOverride(tarball, tally) {
  const target = mkdtempSync(join(tmpdir(), 'upwire-override-'));
  const chromium = findChromium();
  try {
    let installed = false;
    await tally.check('in the place of ws: install', async () => {
      await install(tarball, target);
      installed = true;
    });
    if (!installed) return;
    for (const file of programs()) {
      await tally.check(`in the place of ws: ${file}`, async () => {
        if (file.startsWith('puppeteer') && chromium === undefined) {
          throw new StepError('There is no Chromium here; CHROMIUM_PATH may name one.');
        }
        const env = { CHROMIUM_PATH: chromium ?? '' };
        mustPass(await run(process.execPath, [file], { cwd: target, env, limit }), file);
      });
    }
  } finally {
    rmSync(target, { recursive: true, force: true });
  }
}

/** Packs the engine. @returns the tarball's path */
async function pack(target) {
  const args = ['pack', '--json', '--pack-destination', target, '--workspace', '@upwire/engine'];
  const result = await runNpm(args);
  mustPass(result, 'npm pack');
  const [{ filename }] = Object.values(JSON.parse(result.stdout));
  return join(target, filename);
}

async function alone() {
  const target = mkdtempSync(join(tmpdir(), 'upwire-pack-'));
  const tally = new Tally();
  try {
    await step('build', build);
    await checkOverride(await pack(target), tally);
  } finally {
    rmSync(target, { recursive: true, force: true });
  }
  tally.summary();
  return tally.failed === 0 ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) process.exitCode = await alone();
