// Builds every package with the TypeScript compiler's own incremental build. `tsc -b` judges by its
// record alone, so a dist folder that does not match the sources is put right here first.
import './node-version.mjs';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, runCommand } from './run.mjs';
import { mustPass, step } from './steps.mjs';

/** Folder names of the packages that are compiled. */
export function builtPackages() {
  return readdirSync(join(root, 'packages'))
    .filter((name) => existsSync(join(root, 'packages', name, 'tsconfig.build.json')))
    .sort();
}

/** All files below a folder, as paths relative to it with forward slashes. */
export function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
}

/** The files that the compiler makes out of a package's sources, relative to dist. */
export function expectedOutput(name) {
  return filesBelow(join(root, 'packages', name, 'src')).flatMap((source) => {
    const [, stem, extension] = /^(.*)\.(m?)ts$/.exec(source) ?? [];
    if (stem === undefined) return [];
    return [`${stem}.${extension}js`, `${stem}.d.${extension}ts`];
  });
}

const record = '.tsbuildinfo';

function settleOutput(name) {
  const dist = join(root, 'packages', name, 'dist');
  const expected = new Set(expectedOutput(name));
  const present = new Set(filesBelow(dist));
  for (const file of present) {
    if (!expected.has(file) && file !== record) rmSync(join(dist, file));
  }
  const known = present.has(record);
  if (known && [...expected].some((file) => !present.has(file))) rmSync(join(dist, record));
}

export async function build() {
  for (const name of builtPackages()) settleOutput(name);
  mustPass(await runCommand('typescript', 'tsc', ['-b', 'tsconfig.build.json']), 'tsc');
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await step('build', build).catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
