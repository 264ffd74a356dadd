import { interoperateOverTls } from './interoperate';
import { fayeWebsocket } from './peers/faye-websocket';
import { findPython, Python, pythonWebsockets } from './peers/python';
import { undici } from './peers/undici';
import { websocket } from './peers/websocket';
import { ws } from './peers/ws';

for (const implementation of [ws, websocket, fayeWebsocket, undici]) {
  interoperateOverTls(implementation);
}

const found = findPython();

if (found === undefined) {
  describe.skip("Python's websockets (skipped: no python3-websockets found, set PYTHON)", () => {
    test('the scenarios over TLS', () => undefined);
  });
} else {
  describe(`with ${found}`, () => {
    let python: Python;
    beforeAll(() => {
      python = new Python(found);
    });
    afterAll(() => python.end());

    interoperateOverTls(pythonWebsockets(() => python));
  });
}
