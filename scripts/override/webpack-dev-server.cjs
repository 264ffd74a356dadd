// webpack-dev-server tells its pages of each build over a WebSocket: the second hash comes after an edit.
const assert = require('node:assert/strict');
const { once } = require('node:events');
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const webpack = require('webpack');
const WebpackDevServer = require('webpack-dev-server');
const WebSocket = require('ws');

const theirs = createRequire(require.resolve('webpack-dev-server'));
assert.equal(theirs('ws/package.json').name, '@upwire/engine');

/** Reads on until a build has ended. @returns its hash */
async function built(messages) {
  let hash;
  for (;;) {
    const { value } = await messages.next();
    const { type, data } = JSON.parse(value[0].toString());
    if (type === 'hash') hash = data;
    if (hash !== undefined && ['ok', 'warnings'].includes(type)) return hash;
  }
}

async function main() {
  const folder = mkdtempSync(join(tmpdir(), 'upwire-webpack-'));
  try {
    const entry = join(folder, 'entry.js');
    writeFileSync(entry, 'console.log(1);');
    const compiler = webpack({
      mode: 'development',
      context: folder,
      entry,
      output: { path: folder },
      infrastructureLogging: { level: 'error' },
      // Polling sees every edit, whatever the file system tells of it.
      watchOptions: { poll: 100 },
    });
    const options = { host: '127.0.0.1', port: 'auto', client: false, hot: true };
    const server = new WebpackDevServer({ ...options, setupExitSignals: false }, compiler);
    await server.start();
    const { port } = server.server.address();

    const refused = new WebSocket(`ws://127.0.0.1:${port}/ws`, { origin: 'http://evil.example' });
    const [message] = await once(refused, 'message');
    assert.match(message.toString(), /Invalid Host\/Origin header/);
    await once(refused, 'close');

    const client = new WebSocket(`ws://127.0.0.1:${port}/ws`, {
      origin: `http://127.0.0.1:${port}`,
    });
    const { on } = require('node:events');
    const messages = on(client, 'message');
    const first = await built(messages);
    writeFileSync(entry, 'console.log(2);');
    assert.notEqual(await built(messages), first);
    const closed = once(client, 'close');
    await server.stop();
    await closed;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

main();
