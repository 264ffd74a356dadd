import express5 from 'express';
import express4 from 'express4';

export type Express = typeof express5;

/**
 * Both major versions. What the tests use of them is alike, also where their types differ.
 *
 * The package finds Express 5, so that the routers of Express 4 get `ws` as those of any other copy do.
 */
export const VERSIONS: [name: string, express: Express][] = [
  ['Express 5', express5],
  ['Express 4', express4 as unknown as Express],
];
