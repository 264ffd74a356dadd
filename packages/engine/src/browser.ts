/** What bundlers for browsers take in the place of the package; the text is that of `ws`, which tools look for. */
function WebSocket(): never {
  throw new Error(
    'ws does not work in the browser. Browser clients must use the native WebSocket object',
  );
}

export = WebSocket;
