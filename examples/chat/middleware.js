// What works under every framework as it is: middleware of Node's own kind, (request, response, next).
const helmet = require('helmet');
const morgan = require('morgan');
const { contentSecurityPolicy } = require('./page');

/**
 * A line in the log for each request, the 101 of a WebSocket among them, and headers that tell browsers to be careful.
 *
 * @param {{ write(line: string): void }} log
 */
function commonMiddleware(log) {
  return [morgan('tiny', { stream: log }), helmet({ contentSecurityPolicy })];
}

/** The same for frameworks that do not take such functions: runs them one after the other. */
async function runMiddleware(middleware, request, response) {
  for (const each of middleware) {
    await new Promise((resolve, reject) => {
      each(request, response, (error) => (error ? reject(error) : resolve()));
    });
  }
}

module.exports = { commonMiddleware, runMiddleware };
