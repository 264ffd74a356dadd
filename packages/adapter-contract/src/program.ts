/**
 * A program with an application of a harness, whose handlers fail in every way there is:
 * `program.ts <file of the harness> <its name>`. It ends when it is told to close, and by nothing else.
 */
import { createInterface } from 'node:readline';
import type { Application, Harness } from './harness';

const [file, name] = process.argv.slice(2);

const fail = (text: string): never => {
  throw new Error(text);
};

function setUp(app: Application): void {
  app.ws('/echo', (webSocket) => webSocket.on('message', (text) => webSocket.send(`got ${text}`)));
  app.ws('/throws', () => fail('throws'));
  app.ws('/rejects', async () => fail('rejects'));
  app.ws('/listener', (webSocket) => webSocket.on('message', () => fail('listener')));
  app.ws('/async-listener', (webSocket) =>
    webSocket.on('message', async () => fail('async listener')),
  );
  app.ws('/late', async (webSocket) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    webSocket.on('message', () => fail('late'));
  });
  app.ws('/throws-before', () => undefined, { guards: [() => fail('throws before')] });
  app.ws('/rejects-before', () => undefined, { guards: [async () => fail('rejects before')] });
  app.ws('/hangs', () => undefined, {
    guards: [
      ({ response }) => {
        say('hanging');
        response.once('close', () => say('gone'));
        return new Promise(() => undefined);
      },
    ],
  });
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function main(): Promise<void> {
  // The file is that of a harness, which says so itself.
  const { harnesses } = (await import(file)) as { harnesses: Harness[] };
  const harness = harnesses.find((it) => it.name === name);
  if (harness === undefined) return fail(`No harness ${name} in ${file}`);
  const site = await harness.open(setUp, {
    accessLog: false,
    upwire: { closeTimeout: 300, handshakeTimeout: 600, heartbeat: { interval: 200 } },
  });
  say(String(site.address.port));
  const commands = createInterface(process.stdin);
  commands.on('line', (command) => {
    if (command === 'errors') say(JSON.stringify(site.errors.map(String)));
    if (command !== 'close') return;
    commands.close();
    process.stdin.destroy();
    site.close().then(() => say('closed'));
  });
}

main();
