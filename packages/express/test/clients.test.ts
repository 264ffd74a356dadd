import { open } from '@upwire/adapter-contract';
import { cleanUp } from '../../engine/test/support/site';
import upwire from '../src/index';
import { openSite, VERSIONS } from './support/site';

afterEach(cleanUp);

/** Goes on when a condition holds that no event tells of. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate);
}

describe.each(VERSIONS)('%s: getWss()', (_name, express) => {
  test('of a path has the WebSockets of that route alone, as they come and go', async () => {
    const { port, getWss } = await openSite(express, (app) => {
      app.ws('/a', () => undefined);
      app.ws('/b', () => undefined);
    });
    const { clients } = getWss('/a');
    expect(clients.size).toBe(0);

    const one = await open(port, '/a');
    const two = await open(port, '/a');
    const other = await open(port, '/b');
    expect([clients.size, getWss('/b').clients.size, getWss().clients?.size]).toEqual([2, 1, 3]);

    for (const webSocket of clients) webSocket.send('to all of a');
    expect([await one.message(), await two.message()]).toEqual(['to all of a', 'to all of a']);

    one.webSocket.close();
    two.webSocket.terminate();
    await until(() => clients.size === 0);
    other.send('nothing came before this');
    expect(getWss('/b').clients.size).toBe(1);

    // The set is the same, also when it was empty in between.
    await open(port, '/a');
    expect([clients.size, getWss('/a').clients]).toEqual([1, clients]);
  });

  test('of a path may be asked before the route is there', async () => {
    let clients: ReadonlySet<upwire.WebSocket> | undefined;
    const { port } = await openSite(express, (app, { getWss }) => {
      ({ clients } = getWss('/late'));
      app.ws('/late', () => undefined);
    });
    await open(port, '/late');
    expect(clients?.size).toBe(1);
  });

  test.each([
    ['/chat/:room', '/chat/red'],
    ['/chat/:room', '/chat/blue?token=1'],
    ['/chat/:room', '/CHAT/red/'],
    ['/rooms/:room', '/rooms/red'],
    ['/rooms/:room', '/Rooms/red'],
    ['/rooms/:room/', '/rooms/red'],
    ['/rooms', '/rooms'],
    ['/rooms/', '/rooms/'],
    ['/inner/deep/:x', '/inner/deep/1'],
    ['/one', '/one'],
    ['/two', '/one'],
    ['/', '/'],
  ])('%s has the WebSocket of %s', async (path, url) => {
    const { port, getWss } = await openSite(express, (app, { applyTo }) => {
      const rooms = express.Router();
      const inner = express();
      const deep = express.Router();
      applyTo(inner);
      app.ws('/', () => undefined);
      app.ws('/chat/:room', () => undefined);
      rooms.ws('/', () => undefined);
      rooms.ws('/:room', () => undefined);
      app.use('/rooms', rooms);
      deep.ws('/:x', () => undefined);
      inner.use('/deep', deep);
      app.use('/inner', inner);
      app.ws(['/one', '/two'], () => undefined);
    });
    await open(port, url);
    expect(getWss(path).clients.size).toBe(1);
    expect(getWss().clients?.size).toBe(1);
    expect(getWss('/elsewhere').clients.size).toBe(0);
  });

  test('of a regular expression', async () => {
    const { port, getWss } = await openSite(express, (app) => {
      app.ws(/^\/files\/(.*)$/, () => undefined);
    });
    await open(port, '/files/a/b');
    expect(getWss(/^\/files\/(.*)$/).clients.size).toBe(1);
    expect(getWss(/^\/other$/).clients.size).toBe(0);
  });

  test('of a path is of this application, and of no other on the same routers', async () => {
    const { app: first, getWss, applyTo } = upwire(express());
    applyTo(express.Router);
    const router = express.Router();
    router.ws('/chat', () => undefined);
    first.use(router);
    const { port, getWss: getOthers } = await openSite(express, (app) => void app.use(router));
    await open(port, '/chat');
    expect(getOthers('/chat').clients.size).toBe(1);
    expect(getWss('/chat').clients.size).toBe(0);
  });

  test('counts an injected WebSocket as any other', async () => {
    const { app, getWss, injectWS } = upwire(express());
    app.ws('/chat', () => undefined);
    const client = await injectWS('/chat');
    expect(getWss('/chat').clients.size).toBe(1);
    client.terminate();
    await until(() => getWss('/chat').clients.size === 0);
  });

  test.each([[5], [null], [['/a']], [{}]])('of %p throws', (path) => {
    const { getWss } = upwire(express());
    const get = () => Reflect.apply(getWss, undefined, [path]);
    expect(get).toThrow(TypeError);
    expect(get).toThrow('getWss() takes a path, as a route was declared with it, got ');
  });
});
