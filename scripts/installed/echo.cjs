// A WebSocket client of four fixed frames, so that what is installed is tested with nothing else.
const assert = require('node:assert/strict');
const http = require('node:http');

const headers = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

// The frames of RFC 6455 5.7, and closes with code 1000.
const maskedHello = Buffer.from('818537fa213d7f9f4d5158', 'hex');
const maskedClose = Buffer.from('88820000000003e8', 'hex');
const hello = Buffer.from('810548656c6c6f', 'hex');
const close = Buffer.from('880203e8', 'hex');

/** Sends "Hello" to an echoing route, closes, and rejects unless every byte is as it should be. */
exports.checkEcho = function checkEcho(port, path) {
  return new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', port, path, headers });
    request.on('error', reject);
    request.on('response', (response) => reject(new Error(`answered ${response.statusCode}`)));
    request.on('upgrade', (response, socket, head) => {
      let received = head;
      socket.on('error', reject);
      socket.on('data', (chunk) => {
        received = Buffer.concat([received, chunk]);
        if (received.equals(hello)) socket.write(maskedClose);
      });
      socket.on('end', () => {
        try {
          assert.equal(response.headers['sec-websocket-accept'], 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
          assert.deepEqual(received, Buffer.concat([hello, close]));
          resolve();
        } catch (error) {
          reject(error);
        }
        socket.end();
      });
      socket.write(maskedHello);
    });
  });
};
