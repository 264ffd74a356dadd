// Running other programs: no shell, so that arguments and paths need no quoting on any system.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** The JavaScript file behind a command of an installed dependency, to be run with Node. */
export function commandFile(packageName, command) {
  const folder = join(root, 'node_modules', packageName);
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return resolve(folder, typeof bin === 'string' ? bin : bin[command]);
}

/** Runs the command of a dependency; see `run`. */
export function runCommand(packageName, command, args, options) {
  return run(process.execPath, [commandFile(packageName, command), ...args], options);
}

/** Runs npm: the one that started this script, or else the one on the PATH. */
export function runNpm(args, options) {
  const started = process.env.npm_execpath;
  if (started?.endsWith('npm-cli.js')) return run(process.execPath, [started, ...args], options);
  // On Windows npm is a .cmd file, which only a shell can start.
  return run('npm', args, { ...options, shell: process.platform === 'win32' });
}

/**
 * Runs a program to its end. Its output is collected, or with `stream: true` goes straight to this
 * terminal. Never rejects: a program that cannot be started is one that failed.
 *
 * `limit` is the longest it may take, in milliseconds; without it there is none.
 *
 * @returns {Promise<{ code: number, output: string, stdout: string }>}
 */
export function run(file, args, options = {}) {
  const { cwd = root, env = {}, stream = false, shell = false, limit } = options;
  return new Promise((done) => {
    const child = spawn(file, args, {
      cwd,
      shell,
      env: { ...process.env, ...env },
      stdio: stream ? 'inherit' : ['ignore', 'pipe', 'pipe'],
      // A group of its own lets the time limit end the program together with what it started.
      detached: limit !== undefined && process.platform !== 'win32',
    });
    const release = limit === undefined ? undefined : endWithUs(child, limit);
    const all = [];
    const out = [];
    child.stdout?.on('data', (chunk) => {
      all.push(chunk);
      out.push(chunk);
    });
    child.stderr?.on('data', (chunk) => all.push(chunk));
    child.on('error', (error) => {
      release?.();
      done({ code: 1, output: String(error), stdout: '' });
    });
    child.on('close', (code, signal) => {
      release?.();
      const output = Buffer.concat(all).toString();
      done({
        code: code ?? 1,
        output: signal ? `${output}\nended by ${signal}` : output,
        stdout: Buffer.concat(out).toString(),
      });
    });
  });
}

/** Ends a program of its own group when its time is over, or when a signal ends this process. */
function endWithUs(child, limit) {
  const kill = (signal) => {
    try {
      process.kill(process.platform === 'win32' ? child.pid : -child.pid, signal);
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  };
  const timer = setTimeout(kill, limit, 'SIGKILL');
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, kill);
  return () => {
    clearTimeout(timer);
    for (const signal of signals) process.off(signal, kill);
  };
}
