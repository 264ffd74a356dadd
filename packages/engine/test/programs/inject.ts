/** Injects a WebSocket that nobody closes: the program should end by itself all the same. */
import { Gateway } from '../../src/upgrade/gateway';
import { upgradeOf } from '../../src/upgrade/upgrade';

const gateway = new Gateway({
  dispatch: (request) =>
    upgradeOf(request)?.accept({
      authority: { secure: false, host: 'localhost' },
      handle: (webSocket) => webSocket.send('hello'),
      onError: (error) => console.error(error),
    }),
  routes: () => 'here',
});
gateway.inject('/').then(
  (webSocket) => webSocket.on('message', (data: Buffer) => console.log(String(data))),
  (error: unknown) => console.error(error),
);
