import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Lets a plain `node` run on the packages' sources. */
const sources = join(__dirname, '../../../packages/engine/test/support/register.cjs');

const run = promisify(execFile);

/** What a program says at its end that it prints. */
function promised(file: string): string {
  const [, text] = /\n\/\* Prints:\n(.*)\*\/\n$/s.exec(readFileSync(file, 'utf8')) ?? [];
  if (text === undefined) throw new Error(`${file} does not end with what it prints`);
  return text;
}

/**
 * Tests that each program of a folder prints what it says and ends by itself, and that the README names it.
 *
 * @param runnable whether a program can run here
 */
export function testPrograms(
  folder: string,
  runnable: (name: string) => boolean = () => true,
): void {
  const programs = readdirSync(folder).filter((name) => name.endsWith('.js'));

  for (const name of programs) {
    const define = runnable(name) ? test : test.skip;
    define(`${name} prints what it says, and ends`, async () => {
      const file = join(folder, name);
      const args = ['--require', sources, file];
      const output = await run(process.execPath, args, { timeout: 25_000 });
      expect(output).toEqual({ stdout: promised(file), stderr: '' });
    });
  }

  test('the README names each of them', () => {
    const readme = readFileSync(join(folder, 'README.md'), 'utf8');
    const named = [...readme.matchAll(/^\| \[(.+?\.js)\]\((.+?)\)[^|]* \|/gm)].map(
      ([, text, link]) => {
        expect(link).toBe(text);
        return text;
      },
    );
    expect(named.sort()).toEqual(programs.sort());
  });
}
