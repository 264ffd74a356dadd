// Completes package-lock.json. npm leaves optional packages of other systems out of the lock file
// when it did not get to see them, and `npm ci` then refuses the file. Their names tell the system,
// so their entries can be written; npm checks no integrity hash for those.
import './node-version.mjs';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './run.mjs';
import { StepError } from './steps.mjs';

const lockFile = join(root, 'package-lock.json');

const systemInName =
  /-(android|darwin|freebsd|linux|openharmony|win32)-(arm64|arm|ia32|loong64|ppc64|riscv64|s390x|x64)(?:-(\w+))?$/;

function entryFor(name, version, dev) {
  const [, os, cpu, abi = ''] = systemInName.exec(name) ?? [];
  if (os === undefined) throw new StepError(`cannot tell from its name where ${name} runs`);
  const libc = abi.includes('musl') ? ['musl'] : abi.startsWith('gnu') ? ['glibc'] : undefined;
  return {
    version,
    cpu: [cpu],
    ...(dev ? { dev } : {}),
    ...(libc ? { libc } : {}),
    optional: true,
    os: [os],
  };
}

/** Entries for optional packages that the lock file names as wanted but does not list. */
function missingEntries(packages) {
  const missing = {};
  for (const [path, { optionalDependencies = {}, dev }] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      const top = `node_modules/${name}`;
      if (packages[top] || packages[`${path}/${top}`]) continue;
      missing[top] = entryFor(name, version, dev);
    }
  }
  return missing;
}

/** Throws when a fresh clone could not be installed from the lock file, or it names a host. */
export function checkLockFile() {
  const { packages } = JSON.parse(readFileSync(lockFile, 'utf8'));
  const missing = Object.keys(missingEntries(packages));
  if (missing.length > 0) {
    throw new StepError(`run \`npm run lock\`: package-lock.json lacks\n${missing.join('\n')}`);
  }
  const hosted = Object.values(packages).filter(({ resolved = '' }) => /^\w+:/.test(resolved));
  if (hosted.length > 0) {
    throw new StepError(`package-lock.json names hosts, such as ${hosted[0].resolved}`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const lock = JSON.parse(readFileSync(lockFile, 'utf8'));
  const missing = missingEntries(lock.packages);
  Object.assign(lock.packages, missing);
  const byPath = ([a], [b]) => a.localeCompare(b, 'en');
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(byPath));
  writeFileSync(lockFile, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`package-lock.json: ${Object.keys(missing).length} entries added`);
}
