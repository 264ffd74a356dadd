import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** What has become of a child process. */
export interface ChildResult {
  /** Exit code, or the signal that ended it. */
  readonly exit: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a script in a process of its own, for whatever is about the process: uncaught exceptions, and whether it ends by
 * itself. The script has `upwire` (our `index`), `net` and the test support as `frames` and `raw`.
 */
export async function runChild(
  script: string,
  env: Record<string, string> = {},
): Promise<ChildResult> {
  const prelude = `
    const upwire = require(${JSON.stringify(join(__dirname, '../../src/index.ts'))});
    const frames = require(${JSON.stringify(join(__dirname, 'frames.ts'))});
    const raw = require(${JSON.stringify(join(__dirname, 'raw-client.ts'))});
  `;
  const child = spawn(
    process.execPath,
    ['-r', join(__dirname, 'register.cjs'), '-e', `${prelude}(async () => {${script}})()`],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } },
  );
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { exit: code ?? signal ?? 'unknown', stdout, stderr };
}
