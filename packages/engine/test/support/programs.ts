import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { later } from './site';

/** A program that a test has started. */
export interface Program {
  /** The next line it writes. */
  line(): Promise<string>;
  send(text: string): void;
  /** How it ended, by itself: its exit code or the signal, and what it wrote to stderr. */
  readonly ended: Promise<{ code: number | null; signal: string | null; errors: string }>;
}

/** Starts a TypeScript program on the sources; it is killed at the end of the test if it still runs. */
export function startProgram(file: string, ...args: string[]): Program {
  const child = spawn(
    process.execPath,
    ['--require', resolve(__dirname, 'register.cjs'), file, ...args],
    { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, NODE_ENV: 'production' } },
  );
  later(() => child.kill('SIGKILL'));
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors += text;
  });
  const lines: string[] = [];
  const waiting: ((line: string) => void)[] = [];
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      const resume = waiting.shift();
      if (resume === undefined) lines.push(part);
      else resume(part);
    }
  });
  return {
    line: async () => lines.shift() ?? new Promise((settle) => waiting.push(settle)),
    send: (text) => child.stdin.write(`${text}\n`),
    ended: once(child, 'close').then(([code, signal]) => ({ code, signal, errors })),
  };
}
