// `npm start`: listens, and says goodbye.
const { createChat } = require('./app');

const { PORT = '', SESSION_SECRET } = process.env;
const port = PORT === '' ? 3000 : Number(PORT);

if (!Number.isInteger(port) || port < 0 || port > 65535) {
  fail(`PORT must be a number from 0 to 65535, and it is "${PORT}".`);
} else {
  // An empty secret would be no secret.
  const { app } = createChat({ secret: SESSION_SECRET || undefined });
  const server = app.listen(port);
  server.on('listening', () => {
    const url = `http://localhost:${server.address().port}`;
    console.log(`\nThe chat is at ${url} (Ctrl+C ends it)`);
    console.log('Open it in two browsers, or in a private window as well, and talk.\n');
  });
  server.on('error', (error) => {
    if (error.code !== 'EADDRINUSE') throw error;
    fail(`Port ${port} is taken by another program. Choose one: PORT=${port + 1} npm start`);
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => shutDown(server));
}

/** No more requests, a close frame (1001, going away) to every socket; then nothing keeps Node running. */
function shutDown(server) {
  if (!server.listening) return;
  console.log('\nClosing: the pages will try to come back.');
  server.close();
}

function fail(message) {
  console.error(message);
  process.exitCode = 1;
}
