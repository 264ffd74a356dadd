import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import type { Closing, Implementation } from './peer';
import { same } from './peer';

/** A page that runs the peers, to be served from anywhere. */
export const PAGE = `<!doctype html>
<title>peers</title>
<script>${readFileSync(join(__dirname, 'chromium_page.js'), 'utf8')}</script>
`;

/** Calls one of the page's functions. The caller says what its result is. */
function call<Result>(page: Page, name: string, ...values: unknown[]): Promise<Result> {
  const list = values.map((value) => JSON.stringify(value)).join(', ');
  return page.evaluate<Result>(`peers.${name}(${list})`);
}

/** Chromium's own `WebSocket`, in the page that `page` returns; it always offers permessage-deflate. */
export function chromiumWebSocket(page: () => Page): Implementation {
  return {
    name: 'Chromium',
    async connect(url, { protocols }) {
      const opened = await call<{ peer: number; protocol: string }>(
        page(),
        'connect',
        url,
        protocols,
      );
      const { peer, protocol } = opened;
      return {
        protocol,
        close(code, reason) {
          const closing = [code, reason].filter((value) => value !== undefined);
          return call(page(), 'close', peer, ...closing);
        },
        closed: call<Closing>(page(), 'closed', peer),
      };
    },
    deflate: 'yes',
    sendsParts: false,
    pings: false,
    closes: [undefined, 1000, 3000, 4999],
    told: same,
    answer: same,
    heard: same,
  };
}
