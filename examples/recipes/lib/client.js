// The other side, for the examples: a program that logs in like a browser and opens a WebSocket with what it got.
const { once } = require('node:events');
const { WebSocket } = require('@upwire/engine');

/** Posts a form and returns the cookies of the answer, as the next request sends them. */
async function logIn(url, fields) {
  const { headers } = await fetch(`${url}/login`, {
    method: 'POST',
    body: new URLSearchParams(fields),
    redirect: 'manual',
  });
  return cookiesOf(headers.getSetCookie());
}

function cookiesOf(headers = []) {
  return headers.map((header) => header.split(';')[0]).join('; ');
}

/**
 * Opens a WebSocket, and says what the handshake was answered.
 *
 * @returns the status, the response's headers, and the WebSocket where the status is 101
 */
async function open(url, options = {}) {
  const { protocols = [], ...rest } = options;
  const webSocket = new WebSocket(url.replace('http', 'ws'), protocols, {
    holdMessages: true,
    ...rest,
  });
  return new Promise((resolve, reject) => {
    webSocket.on('error', reject);
    webSocket.on('unexpected-response', (_request, response) => {
      response.resume();
      resolve({ status: response.statusCode, headers: response.headers });
      // Its error says that there will be no WebSocket, which is known by now.
      webSocket.terminate();
    });
    webSocket.on('upgrade', ({ statusCode, headers }) => {
      webSocket.once('open', () => resolve({ status: statusCode, headers, webSocket }));
    });
  });
}

/** The next message, as text. */
async function next(webSocket) {
  const [data] = await once(webSocket, 'message');
  return String(data);
}

/** Code and reason of the end; messages that nobody has read until then are of no interest. */
async function closed(webSocket) {
  webSocket.on('message', () => undefined);
  const [code, reason] = await once(webSocket, 'close');
  return `${code} ${reason}`.trim();
}

module.exports = { closed, cookiesOf, logIn, next, open };
