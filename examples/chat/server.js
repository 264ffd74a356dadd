// `npm start`: one chat on three frameworks. Listens, and says goodbye.
const { randomBytes } = require('node:crypto');
const { once } = require('node:events');
const { Chat } = require('./chat');
const { createExpressSite } = require('./sites/express');
const { createFastifySite } = require('./sites/fastify');
const { createKoaSite } = require('./sites/koa');

const { PORT = '', SESSION_SECRET } = process.env;
const first = PORT === '' ? 3000 : Number(PORT);

main();

async function main() {
  if (!Number.isInteger(first) || first < 0 || first > 65_533) {
    fail(`PORT must be a number from 0 to 65533, and it is "${PORT}".`);
    return;
  }
  const chat = new Chat();
  const options = {
    // An empty secret would be no secret; a random one ends all sessions with the process.
    secret: SESSION_SECRET || randomBytes(32).toString('hex'),
    log: process.stdout,
  };
  const sites = [createExpressSite, createFastifySite, createKoaSite].map((create) =>
    create(chat, options),
  );
  try {
    for (const [index, site] of sites.entries()) await listen(chat, site, first && first + index);
  } catch (error) {
    if (error.code !== 'EADDRINUSE') throw error;
    for (const site of sites) site.close();
    const other = first + sites.length;
    fail(`Port ${error.port} is taken by another program. Choose others: PORT=${other} npm start`);
    return;
  }
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => shutDown(sites));
  console.log('\nThe chat is here, on each framework (Ctrl+C ends it):');
  for (const { name, port } of chat.sites) {
    console.log(`  ${name.padEnd(7)}  http://localhost:${port}`);
  }
  console.log('Open two of them, and talk: what is said on one is read on the others.\n');
}

async function listen(chat, site, port) {
  const server = site.listen(port);
  await once(server, 'listening');
  chat.sites.push({ name: site.name, port: server.address().port });
}

let closing = false;

/** No more requests, a close frame (1001, going away) to every socket; then nothing keeps Node running. */
function shutDown(sites) {
  if (closing) return;
  closing = true;
  console.log('\nClosing: the pages will try to come back.');
  for (const site of sites) site.close();
}

function fail(message) {
  console.error(message);
  process.exitCode = 1;
}
