// Checks of what would be published: the packed tarballs, never the working folder.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expectedOutput } from './build.mjs';
import { checkInstalled } from './installed.mjs';
import { checkOverride } from './override.mjs';
import { root, runCommand, runNpm } from './run.mjs';
import { mustPass, StepError } from './steps.mjs';

const readManifest = (folder) =>
  JSON.parse(readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8'));

/** Packages that `lerna publish` would publish, as `{ folder, name, manifest }`. */
function publishable() {
  return readdirSync(join(root, 'packages'))
    .filter((folder) => existsSync(join(root, 'packages', folder, 'package.json')))
    .map((folder) => ({ folder, manifest: readManifest(folder) }))
    .filter(({ manifest }) => !manifest.private)
    .map(({ folder, manifest }) => ({ folder, name: manifest.name, manifest }));
}

/** Packs all packages into `target` and adds `tarball` and `files` to each. */
async function pack(packages, target) {
  const chosen = packages.flatMap(({ name }) => ['--workspace', name]);
  const result = await runNpm(['pack', '--json', '--pack-destination', target, ...chosen]);
  mustPass(result, 'npm pack');
  const reports = Object.values(JSON.parse(result.stdout));
  return packages.map((one) => {
    const report = reports.find(({ name }) => name === one.name);
    const files = report.files.map(({ path }) => path);
    return { ...one, files, tarball: join(target, report.filename) };
  });
}

/** Compares a tarball with exactly what it should hold; lerna writes the changelog at a release. */
function checkFiles({ folder, files }) {
  const expected = ['package.json', 'README.md', 'LICENSE'];
  expected.push(...expectedOutput(folder).map((file) => `dist/${file}`));
  if (existsSync(join(root, 'packages', folder, 'CHANGELOG.md'))) expected.push('CHANGELOG.md');
  const missing = expected.filter((file) => !files.includes(file));
  const unexpected = files.filter((file) => !expected.includes(file));
  const lines = [
    ...missing.map((file) => `missing from the tarball: ${file}`),
    ...unexpected.map((file) => `not expected in the tarball: ${file}`),
  ];
  if (lines.length > 0) throw new StepError(lines.join('\n'));
  return `${files.length} files`;
}

async function checkManifest({ tarball }) {
  mustPass(await runCommand('publint', 'publint', ['run', '--strict', tarball]), 'publint');
}

// Profile node16: Node before 12 and TypeScript's old `node10` resolution know no `exports` map.
async function checkTypes({ tarball }) {
  const args = ['--profile', 'node16', '--no-definitely-typed', '--format', 'ascii', tarball];
  mustPass(await runCommand('@arethetypeswrong/cli', 'attw', args), 'attw');
}

/** Packs every package and counts each check of each tarball in `tally`. */
export async function checkPackages(tally) {
  const target = mkdtempSync(join(tmpdir(), 'upwire-pack-'));
  try {
    let packed = [];
    await tally.check('pack', async () => {
      packed = await pack(publishable(), target);
      return packed.map(({ name }) => name).join(', ');
    });
    for (const one of packed) {
      await tally.check(`${one.name}: files in the tarball`, () => checkFiles(one));
      await tally.check(`${one.name}: publint`, () => checkManifest(one));
      await tally.check(`${one.name}: are the types wrong`, () => checkTypes(one));
    }
    for (const one of packed) await checkInstalled(one, packed, tally);
    const engine = packed.find(({ name }) => name === '@upwire/engine');
    if (engine !== undefined) await checkOverride(engine.tarball, tally);
  } finally {
    rmSync(target, { recursive: true, force: true });
  }
}
