// `npm start`: sets up, then runs the chat of examples/chat. Arguments are handed on to it.
import './node-version.mjs';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './run.mjs';
import { setupOrExplain } from './setup.mjs';

const folder = join(root, 'examples', 'chat');
const entry = join(folder, 'server.js');

if (!existsSync(entry)) {
  console.error(`There is nothing to start: ${entry} is missing.`);
  process.exitCode = 1;
} else if (!(await setupOrExplain())) {
  process.exitCode = 1;
} else {
  const chat = spawn(process.execPath, [entry, ...process.argv.slice(2)], {
    cwd: folder,
    stdio: 'inherit',
  });
  // Ctrl-C reaches the whole process group; a plain `kill` only this process, so hand it on.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => chat.kill(signal));
  }
  chat.on('error', (error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
  chat.on('close', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' || signal === 'SIGTERM' ? 0 : 1);
  });
}
