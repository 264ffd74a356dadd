import type Koa from 'koa';
import type { Middleware } from 'koa';
import koa3 from 'koa';
import koa2 from 'koa2';

export type KoaClass = typeof koa3;
export type App = Koa;

/** Both major versions. What the tests use of them is alike, also where their types differ. */
export const VERSIONS: [name: string, Koa: KoaClass][] = [
  ['Koa 3', koa3],
  ['Koa 2', koa2 as unknown as KoaClass],
];

/** Makes one middleware of many, as Koa does. */
export const compose: (middleware: Middleware[]) => Middleware = Reflect.get(new koa3(), 'compose');
