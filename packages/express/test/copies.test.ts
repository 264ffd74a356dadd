import { createServer } from 'node:http';
import { open } from '@upwire/adapter-contract';
import express from 'express';
import express4 from 'express4';
import { cleanUp } from '../../engine/test/support/site';
import type Upwire from '../src/index';
import type { Express } from './support/site';
import { openSite, VERSIONS } from './support/site';

afterEach(cleanUp);

/** The package as it is in a program where `import 'express'` finds the given copy; nothing has been patched yet. */
function freshPackage(found: 'express' | 'express4'): {
  upwire: typeof Upwire;
  found: Express;
  other: Express;
} {
  let modules: [typeof Upwire, Express, Express] | undefined;
  jest.isolateModules(() => {
    const copies: Record<string, Express> = {
      express: jest.requireActual('express'),
      express4: jest.requireActual('express4'),
    };
    jest.doMock('express', () => copies[found]);
    modules = [
      require('../src/index'),
      copies[found],
      copies[found === 'express' ? 'express4' : 'express'],
    ];
  });
  jest.dontMock('express');
  if (modules === undefined) throw new Error('Not loaded');
  return { upwire: modules[0], found: modules[1], other: modules[2] };
}

const hasWs = (router: object): boolean => typeof Reflect.get(router, 'ws') === 'function';

describe.each(['express', 'express4'] as const)('where the package finds %s', (name) => {
  test('its routers have ws, those that are there already as well', () => {
    const { upwire, found } = freshPackage(name);
    const early = found.Router();
    expect(hasWs(early)).toBe(false);

    upwire(found());

    expect(hasWs(early)).toBe(true);
    expect(hasWs(found.Router())).toBe(true);
  });

  test('routers of another copy get it by applyTo(express.Router), once and for all', () => {
    const { upwire, found, other } = freshPackage(name);
    const { applyTo } = upwire(found());
    expect(hasWs(other.Router())).toBe(false);

    applyTo(other.Router);

    expect(hasWs(other.Router())).toBe(true);
  });

  test('or one by one, by applyTo(router)', () => {
    const { upwire, found, other } = freshPackage(name);
    const { applyTo } = upwire(found());
    const router = other.Router();

    applyTo(router);

    expect(hasWs(router)).toBe(true);
    expect(hasWs(other.Router())).toBe(false);
  });

  test('an application of another copy has it, and its routers too by applyTo', () => {
    const { upwire, other } = freshPackage(name);
    const { app, applyTo } = upwire(other());
    expect(hasWs(app)).toBe(true);
    expect(hasWs(other())).toBe(false);
    applyTo(other.Router);
    expect(hasWs(other.Router())).toBe(true);
  });

  test('leaveRouterUntouched leaves routers untouched, and those of applyTo have ws', () => {
    const { upwire, found } = freshPackage(name);
    const { app, applyTo } = upwire(found(), null, { leaveRouterUntouched: true });
    const router = found.Router();
    expect([hasWs(app), hasWs(router)]).toEqual([true, false]);
    applyTo(router);
    expect([hasWs(router), hasWs(found.Router())]).toEqual([true, false]);
  });
});

test.each<[string, unknown]>([
  ['an object', {}],
  ['a function', () => undefined],
  ['a server', createServer()],
])('applyTo throws for %s', (_what, target) => {
  const { upwire, found } = freshPackage('express');
  const { applyTo } = upwire(found());
  expect(() => applyTo(target as object)).toThrow(
    new TypeError('Only an application, a router or express.Router can be given the method ws'),
  );
});

describe.each(VERSIONS)('%s: a router of the other version', (name, own) => {
  test('works in an application, as it does for pages', async () => {
    const other = (name === 'Express 5' ? express4 : express) as unknown as Express;
    const { port } = await openSite(own, (app, { applyTo }) => {
      applyTo(other.Router);
      const router = other.Router();
      router.ws('/in/:x', (webSocket, request) => webSocket.send(`in ${request.params.x}`));
      app.use('/sub', router);
    });
    expect(await (await open(port, '/sub/in/7')).message()).toBe('in 7');
  });
});
