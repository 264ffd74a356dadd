import type { ApplicationInside } from '../src/inside';
import { isApplication, routerOf } from '../src/inside';
import { lookAhead, pathOf } from '../src/lookahead';
import type { App } from './support/site';
import { prepare, VERSIONS } from './support/site';

const handler = () => undefined;

function look(app: App, path: string) {
  if (!isApplication(app)) throw new Error('Not an application');
  return lookAhead(routerOf(app).stack, path);
}

describe.each(VERSIONS)('%s: lookAhead', (_name, express) => {
  test('tells the routes of an application, and runs nothing', () => {
    const middleware = jest.fn();
    const { app } = prepare(express);
    app.use(middleware);
    app.param('room', middleware);
    app.get('/page', middleware);
    app.ws('/chat/:room', middleware, handler);
    app.ws(['/list', /^\/re(x+)$/], handler);
    const expected = {
      '/chat/red': 'here',
      '/chat/red/': 'here',
      '/CHAT/red': 'here',
      '/chat/%E0%A4%A': 'here',
      '/list': 'here',
      '/rexx': 'here',
      '/chat': 'elsewhere',
      '/chat/red/more': 'elsewhere',
      '/page': 'elsewhere',
      '/': 'elsewhere',
    };
    const paths = Object.keys(expected);
    expect(Object.fromEntries(paths.map((path) => [path, look(app, path)]))).toEqual(expected);
    expect(middleware).not.toHaveBeenCalled();
  });

  test('tells those of routers and applications that are mounted, in any depth', () => {
    const { app, applyTo } = prepare(express);
    const inner = express();
    applyTo(inner);
    inner.ws('/chat', handler);
    const router = express.Router();
    router.ws('/in', handler);
    router.use('/app', inner);
    app.use('/a/:x', express.Router().use('/b', router));
    app.use(['/one', '/two'], handler, [inner, handler]);
    app.use(router);
    const here = ['/a/1/b/in', '/a/1/b/app/chat', '/one/chat', '/two/chat/', '/in', '/app/chat'];
    expect(here.map((path) => [path, look(app, path)])).toEqual(here.map((path) => [path, 'here']));
    const elsewhere = ['/a/b/in', '/a/1/b', '/one/in', '/onechat', '/chat', '/three/chat'];
    expect(elsewhere.map((path) => [path, look(app, path)])).toEqual(
      elsewhere.map((path) => [path, 'elsewhere']),
    );
  });

  test('cannot tell of applications in those that were mounted unseen', () => {
    const unseen = express();
    unseen.use('/deep', express());
    const { app } = prepare(express);
    app.use('/sub', unseen);
    expect(look(app, '/sub/deep/chat')).toBe('maybe');
    expect(look(app, '/sub/chat')).toBe('elsewhere');
    expect(look(app, '/chat')).toBe('elsewhere');
  });

  test('prefers to be certain', () => {
    const unseen = express();
    unseen.use(express());
    const { app } = prepare(express);
    app.use(unseen);
    app.ws('/chat', handler);
    expect([look(app, '/chat'), look(app, '/other')]).toEqual(['here', 'maybe']);
  });

  test('leaves app.use() as it was', () => {
    const { app } = prepare(express);
    expect(app.use(handler)).toBe(app);
    expect(() => app.use()).toThrow(TypeError);
    const inner = express();
    app.use('/sub', inner);
    expect(inner.mountpath).toBe('/sub');
  });
});

describe.each(VERSIONS)('%s: isApplication', (_name, express) => {
  test('tells applications from all else', () => {
    const values = [express(), express.Router(), express, handler, {}, null, undefined, 'app'];
    expect(values.map(isApplication)).toEqual([true, ...values.slice(1).map(() => false)]);
  });

  test('routerOf gives the router that routes were added to', () => {
    const app = express();
    app.get('/page', handler);
    const inside: unknown = app;
    const { stack } = routerOf(inside as ApplicationInside);
    expect(stack.filter((layer) => layer.route !== undefined)).toHaveLength(1);
  });
});

test.each([
  ['/chat', '/chat'],
  ['/chat?a=/b', '/chat'],
  ['/chat/?', '/chat/'],
  ['//chat', '//chat'],
  ['http://localhost/chat?a', '/chat'],
  ['http://localhost:80//chat', '//chat'],
  ['chat', 'chat'],
  ['*', '*'],
  ['', ''],
])('pathOf(%p) is %p', (target, path) => {
  expect(pathOf(target)).toBe(path);
});
