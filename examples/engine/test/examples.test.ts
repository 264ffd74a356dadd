import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const folder = join(__dirname, '..');
/** Lets a plain `node` run on the packages' sources. */
const sources = join(__dirname, '../../../packages/engine/test/support/register.cjs');

const run = promisify(execFile);

const programs = readdirSync(folder).filter((name) => name.endsWith('.js'));

/** What a program says at its end that it prints. */
function promised(name: string): string {
  const source = readFileSync(join(folder, name), 'utf8');
  const [, text] = /\n\/\* Prints:\n(.*)\*\/\n$/s.exec(source) ?? [];
  if (text === undefined) throw new Error(`${name} does not end with what it prints`);
  return text;
}

test.each(programs)('%s prints what it says, and ends', async (name) => {
  const args = ['--require', sources, join(folder, name)];
  const output = await run(process.execPath, args, { timeout: 25_000 });
  expect(output).toEqual({ stdout: promised(name), stderr: '' });
});

test('the README names each of them', () => {
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');
  const named = [...readme.matchAll(/^\| \[(.+?\.js)\]\((.+?)\) \|/gm)].map(([, text, link]) => {
    expect(link).toBe(text);
    return text;
  });
  expect(named.sort()).toEqual(programs.sort());
});
