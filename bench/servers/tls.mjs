import { readFileSync } from 'node:fs';

const fixture = (name) =>
  readFileSync(new URL(`../../packages/engine/test/fixtures/server.${name}.pem`, import.meta.url));

/** A certificate that the load generator does not check. */
export const certificate = () => ({ key: fixture('key'), cert: fixture('cert') });
