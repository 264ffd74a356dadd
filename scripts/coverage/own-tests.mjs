// A reporter of jest: what the modules that read bytes from strangers have run by their own tests, and by no other.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import coverage from 'istanbul-lib-coverage';
import { root } from '../run.mjs';

/** Folders of the engine's sources whose tests have to run all of them; their tests lie in `test` under the same names. */
export const FOLDERS = ['protocol', 'handshake', 'deflate'];

/** What was left, by module; written where coverage is measured. */
export const OWN_TESTS = join(root, 'coverage', 'own-tests.json');

const below = (part, file) =>
  FOLDERS.some((folder) => path(file).startsWith(`packages/engine/${part}/${folder}/`));

/** A file as it is shown, and compared, on every system. */
export const path = (file) => relative(root, file).replaceAll('\\', '/');

/** The lines on which code or a branch has not run. */
function left(file) {
  const branches = Object.entries(file.b).flatMap(([id, counts]) =>
    counts.flatMap((count, index) => {
      const { loc, locations } = file.branchMap[id];
      // What stands for a missing `else` lies nowhere.
      return count > 0 ? [] : [locations[index].start.line ?? loc.start.line];
    }),
  );
  return { lines: coverage.createFileCoverage(file).getUncoveredLines().map(Number), branches };
}

export default class OwnTests {
  #map = coverage.createCoverageMap();

  onTestResult(test, result) {
    // There is none where jest does not measure it.
    if (result.coverage && below('test', test.path)) this.#map.merge(result.coverage);
  }

  onRunComplete() {
    const files = this.#map.files().filter((file) => below('src', file));
    if (files.length === 0) return;
    const modules = files.map((file) => [path(file), left(this.#map.fileCoverageFor(file).data)]);
    mkdirSync(dirname(OWN_TESTS), { recursive: true });
    writeFileSync(OWN_TESTS, JSON.stringify(Object.fromEntries(modules)));
  }
}
