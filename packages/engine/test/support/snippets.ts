import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';

/** The snippets of a page in docs/engine, as they stand there. */
export function snippetsOf(page: string): string[] {
  const text = readFileSync(join(__dirname, '../../../../docs/engine', page), 'utf8');
  return [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code);
}

export type Names = Record<string, unknown>;

/** Runs a snippet with those names, and gives what it prints. */
export async function runSnippet(code: string, names: Names): Promise<string[]> {
  const printed: string[] = [];
  const show = (value: unknown): string =>
    typeof value === 'string' ? value : inspect(value, { breakLength: Number.POSITIVE_INFINITY });
  const all: Names = { ...names, console: { log: (value: unknown) => printed.push(show(value)) } };
  const AsyncFunction = Object.getPrototypeOf(async () => undefined).constructor;
  await new AsyncFunction(...Object.keys(all), code)(...Object.values(all));
  return printed;
}

/** What a snippet says that it prints. */
export const promised = (code: string): string[] =>
  [...code.matchAll(/^\/\/ Prints: (.*)$/gm)].map(([, line]) => line);
