// What the programs share: none may do its work with another `ws` than the one under test.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

/** Asserts that a package, as it stands in this folder, gets the engine where it asks for `ws`. */
export function assertEngine(...packages) {
  for (const name of packages) {
    const require = createRequire(createRequire(import.meta.url).resolve(name));
    assert.equal(require('ws/package.json').name, '@upwire/engine', `${name} has another ws`);
  }
}

/** An HTTP server on a free port of the loopback interface. */
export async function listen(server = createServer()) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: server.address().port };
}

/** The next event of an emitter that carries one value. */
export async function next(emitter, event) {
  const [value] = await once(emitter, event);
  return value;
}
